//go:build !js

package nfc

import (
	"testing"
	"time"

	"github.com/unmask-lm/unmask/web/chromium"
)

// The browser's tables answer as ours do.
func TestInChromium(t *testing.T) {
	chromium.RunGoTests(t, "./model/tokenizer/nfc", time.Minute, "TestString")
}
