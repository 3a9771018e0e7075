//go:build !js

package simd_test

import (
	"testing"
	"time"

	"github.com/unmask-lm/unmask/web/chromium"
)

// The conformance suite once more, as WebAssembly in Chromium on the WebAssembly kernels.
func TestInChromium(t *testing.T) {
	chromium.RunGoTests(t, "./cpu/simd", 5*time.Minute, "TestEngine")
}
