package simd

import (
	"math"

	"github.com/unmask-lm/unmask/cpu/simd/kernels"
	"github.com/unmask-lm/unmask/runtime"
)

// job is what the workers do next: one operation of one layer, whose outputs or heads they share.
type job struct {
	layer     int
	x         []float32
	rows      int
	w         *weight
	bias, out []float32
	stride    int
	epilogue  kernels.Epilogue
}

// matmul has all workers compute x·wᵀ + bias for rows of x.
func (e *Engine) matmul(x []float32, rows int, w *weight, bias, out []float32, stride int, epilogue kernels.Epilogue) {
	kernels.Pack(x, rows, w.in, w.half, e.packed)
	e.job = job{x: e.packed, rows: rows, w: w, bias: bias, out: out, stride: stride, epilogue: epilogue}
	e.pool.run(e.matmulShare)
}

// outputs is the step in which workers share the outputs of a weight.
const outputs = 16

// workMatmul computes a worker's share of the outputs. A weight may lie in several parts.
func (e *Engine) workMatmul(worker int) {
	j := &e.job
	first, last := e.pool.share(j.w.outs, outputs, worker)
	at := 0
	for i := range j.w.parts {
		part := &j.w.parts[i]
		from, to := max(first-at, 0), min(last-at, part.Outs)
		if from < to {
			bias := j.bias
			if bias != nil {
				bias = bias[at:]
			}
			kernels.MatMul(j.x, j.rows, part, bias, j.out[at:], j.stride, from, to, j.epilogue)
		}
		at += part.Outs
	}
}

// attend has all workers share the heads of a layer.
func (e *Engine) attend(layer, rows int) {
	e.job = job{layer: layer, rows: rows}
	e.pool.run(e.attendShare)
}

func (e *Engine) workAttend(worker int) {
	j := &e.job
	first, last := e.pool.share(e.c.Heads, 1, worker)
	for head := first; head < last; head++ {
		kernels.Attend(e.layout, head, e.q, j.rows, e.keys[j.layer], e.values[j.layer], e.limits, e.scores[worker], e.o)
	}
}

// forward runs at most e.rows tokens behind the committed ones and leaves the residual stream (T, D)
// in e.x, and their keys and values in the cache behind the committed ones.
func (e *Engine) forward(tokens []int) {
	c := &e.c
	d, rows := c.Hidden, len(tokens)
	for t, id := range tokens {
		e.w.embedding.row(id, e.w.embeddingDecoder, e.x[t*d:(t+1)*d])
		e.limits[t] = int32(runtime.Limit(e.length, t, rows, c.Block))
	}
	eps, scale := float32(c.NormEps), float32(1/math.Sqrt(float64(c.HeadDim())))
	for i := range e.w.blocks {
		b := &e.w.blocks[i]
		kernels.LayerNorm(e.x, rows, b.norm1, b.shift1, eps, e.y)
		e.matmul(e.y, rows, &b.qkv, nil, e.inner, 3*d, kernels.Store)
		kernels.Rope(e.layout, e.inner, rows, e.length, e.w.turns, scale, e.q, e.keys[i], e.values[i])
		e.attend(i, rows)
		e.matmul(e.o, rows, &b.out, nil, e.x, d, kernels.Add)
		kernels.LayerNorm(e.x, rows, b.norm2, b.shift2, eps, e.y)
		e.matmul(e.y, rows, &b.up, b.upBias, e.inner, c.Inner, kernels.GELU)
		e.matmul(e.inner, rows, &b.down, b.downBias, e.x, d, kernels.Add)
	}
}

// head computes logits for some rows of the residual stream, each padded to a multiple of
// kernels.Lane.
func (e *Engine) head(rows []int) {
	d := e.c.Hidden
	for i, row := range rows {
		kernels.LayerNorm(e.x[row*d:], 1, e.w.norm, e.w.shift, float32(e.c.NormEps), e.y[i*d:])
	}
	e.matmul(e.y, len(rows), &e.w.head, e.w.headBias, e.logits, kernels.Pad(e.c.Vocab), kernels.Store)
}
