package simd

import (
	"time"

	"github.com/unmask-lm/unmask/cpu/simd/kernels"
)

// Peak measures what the machine reaches with some threads: floating-point operations a second of a
// matmul whose operands stay in the cache, and bytes a second read from memory.
func Peak(threads int) (flops, bytes float64) {
	const in, outs, rows, times = 768, 64, 32, 20
	p := newPool(threads)
	defer p.close()
	w := kernels.NewMatrix(make([]byte, 4*in*outs), false, in)
	x := make([]float32, rows*in)
	out := make([][]float32, threads)
	for i := range out {
		out[i] = make([]float32, rows*outs)
	}
	flops = float64(threads) * 2 * in * outs * rows * times / fastest(func() {
		p.run(func(worker int) {
			for range times {
				kernels.MatMul(x, rows, &w, nil, out[worker], outs, 0, outs, kernels.Store)
			}
		})
	})
	memory := make([]float32, 64<<20) // 256 MB, far beyond any cache
	for i := range memory {
		memory[i] = 1
	}
	bytes = float64(4*len(memory)) / fastest(func() {
		p.run(func(worker int) {
			first, last := p.share(len(memory), 1<<16, worker)
			kernels.Above(memory[first:last], nil, 0)
		})
	})
	return flops, bytes
}

// fastest is the shortest of a few runs, in seconds.
func fastest(run func()) float64 {
	best := time.Duration(1 << 62)
	for range 5 {
		at := time.Now()
		run()
		best = min(best, time.Since(at))
	}
	return best.Seconds()
}
