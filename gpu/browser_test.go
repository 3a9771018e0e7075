//go:build !js

package gpu_test

import (
	"testing"
	"time"

	"github.com/unmask-lm/unmask/web/chromium"
)

// The kernels and the conformance suite once more, as WebAssembly in Chromium on its own WebGPU.
func TestInChromium(t *testing.T) {
	chromium.RunGoTests(t, "./gpu", 9*time.Minute, "TestKernels", "TestVariantsCompile", "TestTuningIsRemembered", "TestDeviceLost", "TestDeviceLostBetweenCalls", "TestEngine")
}
