//go:build !js

package promise_test

import (
	"testing"
	"time"

	"github.com/unmask-lm/unmask/web/chromium"
)

func TestInChromium(t *testing.T) {
	chromium.RunGoTests(t, "./gpu/device/promise", time.Minute, "TestAwait")
}
