package simd_test

import (
	"testing"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/cpu/simd"
	"github.com/unmask-lm/unmask/cpu/simd/kernels"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/enginetest"
)

// Every instruction set that this machine has is held to the oracle; in the browser there is one.
func TestEngine(t *testing.T) {
	widest := len(kernels.Levels()) - 1
	t.Cleanup(func() { kernels.Use(widest) })
	for level, name := range kernels.Levels() {
		t.Run(name, func(t *testing.T) {
			kernels.Use(level)
			enginetest.Run(t, enginetest.Suite{
				Open:   func(_ testing.TB, p *model.Pack) runtime.Engine { return simd.New(p, 1+level) },
				Oracle: func(p *model.Pack) runtime.Engine { return cpu.New(p) },
			})
		})
	}
}
