//go:build !js

package kernels_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/cpu/simd/kernels"
	"github.com/unmask-lm/unmask/cpu/simd/kernels/module"
)

// Lengths are checked before the C sees an address.
func TestLengthsAreChecked(t *testing.T) {
	f := func(n int) []float32 { return make([]float32, n) }
	w := kernels.NewMatrix(make([]byte, 4*8*10), false, 8)
	require.Equal(t, 10, w.Outs)
	l := kernels.Layout{Width: 8, Head: 4, Window: 32}
	var s kernels.Statistics
	for name, call := range map[string]func(){
		"short x":       func() { kernels.MatMul(f(15), 2, &w, nil, f(20), 10, 0, 10, kernels.Store) },
		"short out":     func() { kernels.MatMul(f(16), 2, &w, nil, f(19), 10, 0, 10, kernels.Store) },
		"beyond weight": func() { kernels.MatMul(f(16), 2, &w, nil, f(40), 20, 0, 11, kernels.Store) },
		"short bias":    func() { kernels.MatMul(f(16), 2, &w, f(9), f(20), 10, 0, 10, kernels.Store) },
		"short packed":  func() { kernels.Pack(f(16), 2, 8, false, f(15)) },
		"short shift":   func() { kernels.LayerNorm(f(8), 1, f(8), f(7), 1e-5, f(8)) },
		"beyond window": func() { kernels.Rope(l, f(48), 2, 31, f(33*4), 1, f(16), f(l.Keys()), f(l.Values())) },
		"beyond cache": func() {
			kernels.Attend(l, 0, f(8), 1, f(l.Keys()), f(l.Values()), []int32{33}, f(l.ScoreRoom()), f(8))
		},
		"row not padded": func() { kernels.Measure(f(17), &s) },
		"short weights":  func() { kernels.Weigh(f(32), 0, 1, f(16)) },
	} {
		require.Panics(t, call, name)
	}
}

// e^x is good to about the last digits of a float32, over the whole range that softmax uses.
func TestExponential(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	top := len(kernels.Levels()) - 1
	t.Cleanup(func() { kernels.Use(top) })
	for level := range kernels.Levels() {
		kernels.Use(level)
		x, out := make([]float32, 1<<14), make([]float32, 1<<14)
		for i := range x {
			x[i] = -86 * rng.Float32()
		}
		kernels.Weigh(x, 0, 1, out)
		for i := range x {
			require.InEpsilon(t, math.Exp(float64(x[i])), float64(out[i]), 4e-7, "%s: e^%v", kernels.Level(), x[i])
		}
	}
}

// The WebAssembly modules share Go's memory, so they must bring no data of their own, and start nothing.
func TestModulesHaveNoData(t *testing.T) {
	for _, name := range []string{module.Plain, module.Relaxed} {
		wasm, err := module.Files.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, "\x00asm\x01\x00\x00\x00", string(wasm[:8]))
		const start, data = 8, 11
		for at := 8; at < len(wasm); {
			id := wasm[at]
			require.NotContains(t, []byte{start, data}, id, name)
			size, shift := 0, 0
			for at++; ; at++ {
				size |= int(wasm[at]&0x7f) << shift
				shift += 7
				if wasm[at] < 0x80 {
					break
				}
			}
			at += 1 + size
		}
	}
}
