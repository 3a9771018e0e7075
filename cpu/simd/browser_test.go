//go:build !js

package simd_test

import (
	"testing"
	"time"

	"github.com/unmask-lm/unmask/web/chromium"
)

// The conformance suite once more, as WebAssembly in Chromium on each module of WebAssembly kernels.
func TestInChromium(t *testing.T) {
	t.Run("plain", func(t *testing.T) { chromium.RunGoTestsPlain(t, "./cpu/simd", 5*time.Minute, "TestEngine") })
	chromium.RunGoTests(t, "./cpu/simd", 5*time.Minute, "TestEngine")
}
