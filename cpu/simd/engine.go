// Package simd is the Engine on the processor, made for speed: vectorised kernels, all cores, weights
// read once a pass in the type they are stored in. It is held to the oracle in package cpu.
package simd

import (
	"context"
	"math"
	"unsafe"

	"github.com/unmask-lm/unmask/cpu/simd/kernels"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// Engine runs a pack on the processor. Everything that a pass needs is allocated by New.
type Engine struct {
	c      model.Config
	pack   *model.Pack // keeps the weights' memory
	w      weights
	length int
	rows   int // most rows of one pass
	pool   *pool
	job    job
	layout kernels.Layout

	matmulShare, attendShare func(worker int)

	keys, values    [][]float32 // a layer
	x, y, q, o      []float32   // (rows, D)
	inner, packed   []float32   // (rows, inner or 3·D)
	limits          []int32     // (rows)
	scores          [][]float32 // a worker
	logits, weights []float32   // (head rows, padded V), (padded V)
	sums            []float64   // a run of tokens
	statistics      kernels.Statistics
	pass, asked     []int
	candidates      []draw.Candidate
}

// Rows of one pass and of one head: commits run more in one go the larger these are.
const (
	minPassRows = 64
	maxHeadRows = 32
)

// New makes an engine that uses the given number of threads.
func New(p *model.Pack, threads int) *Engine {
	c := p.Config
	window := (c.Window + kernels.Group - 1) / kernels.Group * kernels.Group
	e := &Engine{
		c: c, pack: p, w: newWeights(p), rows: max(minPassRows, 2*c.Block), pool: newPool(max(1, threads)),
		layout: kernels.Layout{Width: c.Hidden, Head: c.HeadDim(), Window: window},
	}
	e.matmulShare, e.attendShare = e.workMatmul, e.workAttend
	e.w.turns = turns(&c, window)
	floats := func(n int) []float32 { return make([]float32, n) }
	for range c.Layers {
		e.keys, e.values = append(e.keys, floats(e.layout.Keys())), append(e.values, floats(e.layout.Values()))
	}
	d := e.rows * c.Hidden
	e.x, e.y, e.q, e.o, e.inner = floats(d), floats(d), floats(d), floats(d), floats(e.rows*max(c.Inner, 3*c.Hidden))
	e.packed = floats(len(e.inner))
	e.limits = make([]int32, e.rows)
	for range e.pool.workers {
		e.scores = append(e.scores, floats(e.layout.ScoreRoom()))
	}
	v := kernels.Pad(c.Vocab)
	e.logits, e.weights, e.sums = floats(min(maxHeadRows, c.Block)*v), floats(v), make([]float64, 0, v/run+1)
	e.pass, e.asked = make([]int, 0, e.rows), make([]int, 0, e.rows)
	e.candidates = make([]draw.Candidate, 0, e.rows)
	return e
}

// turns is the rotary table (window, 2, head/2): cosines, then sines, of angles computed in float64.
func turns(c *model.Config, window int) []float32 {
	half := c.HeadDim() / 2
	out := make([]float32, 2*window*half)
	for pos := range window {
		for j := range half {
			sin, cos := math.Sincos(float64(pos) * math.Pow(c.RopeBase, -2*float64(j)/float64(c.HeadDim())))
			out[2*pos*half+j], out[(2*pos+1)*half+j] = float32(cos), float32(sin)
		}
	}
	return out
}

func aligned(data []byte, size int) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(data)))%uintptr(size) == 0
}

// Threads is the number of threads in use.
func (e *Engine) Threads() int { return e.pool.workers }

// Config implements runtime.Engine.
func (e *Engine) Config() *model.Config { return &e.c }

// Len implements runtime.Engine.
func (e *Engine) Len() int { return e.length }

// Close implements runtime.Engine.
func (e *Engine) Close() error {
	e.pool.close()
	return nil
}

// Truncate implements runtime.Engine.
func (e *Engine) Truncate(n int) error {
	if err := runtime.CheckTruncate(&e.c, e.length, n); err != nil {
		return err
	}
	e.length = n
	return nil
}

// Assume counts n tokens as committed, whatever the cache holds: for measurements.
func (e *Engine) Assume(n int) { e.length = n }

// Commit implements runtime.Engine.
func (e *Engine) Commit(ctx context.Context, tokens []int) error {
	if err := runtime.CheckCommit(&e.c, e.length, tokens); err != nil {
		return err
	}
	return e.commit(ctx, tokens)
}

// commit runs checked tokens, as many whole blocks a pass as fit.
func (e *Engine) commit(ctx context.Context, tokens []int) error {
	most := e.rows / e.c.Block * e.c.Block
	for len(tokens) > 0 {
		n := min(len(tokens), most)
		e.forward(tokens[:n])
		e.length += n
		tokens = tokens[n:]
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// Denoise implements runtime.Engine.
func (e *Engine) Denoise(ctx context.Context, canvas, rows []int, o draw.Options) ([]draw.Candidate, error) {
	return e.CommitDenoise(ctx, nil, canvas, rows, o)
}

// CommitDenoise implements runtime.Engine.
func (e *Engine) CommitDenoise(ctx context.Context, tokens, canvas, rows []int, o draw.Options) ([]draw.Candidate, error) {
	if err := runtime.CheckCommit(&e.c, e.length, tokens); err != nil {
		return nil, err
	}
	if err := runtime.CheckDenoise(&e.c, e.length+len(tokens), canvas, rows, &o); err != nil {
		return nil, err
	}
	fused := tokens[max(0, len(tokens)-e.c.Block):]
	if err := e.commit(ctx, tokens[:len(tokens)-len(fused)]); err != nil {
		return nil, err
	}
	e.pass = append(append(e.pass[:0], fused...), canvas...)
	e.forward(e.pass)
	e.length += len(fused)
	out := e.candidates[:0]
	v := kernels.Pad(e.c.Vocab)
	for first := 0; first < len(rows); first += maxHeadRows {
		some := rows[first:min(first+maxHeadRows, len(rows))]
		e.asked = e.asked[:0]
		for _, row := range some {
			e.asked = append(e.asked, len(fused)+row)
		}
		e.head(e.asked)
		for i, row := range some {
			forced := -1
			if o.Force != nil {
				forced = o.Force[first+i]
			}
			candidate := e.draw(e.logits[i*v:(i+1)*v], o.Uniform(row), &o, forced)
			candidate.Row = row
			out = append(out, candidate)
		}
	}
	e.candidates = out
	return out, ctx.Err()
}

// Logits implements runtime.Engine.
func (e *Engine) Logits(ctx context.Context, canvas []int) ([]float32, error) {
	if err := runtime.CheckDenoise(&e.c, e.length, canvas, nil, nil); err != nil {
		return nil, err
	}
	e.forward(canvas)
	out := make([]float32, 0, len(canvas)*e.c.Vocab)
	v := kernels.Pad(e.c.Vocab)
	for first := 0; first < len(canvas); first += maxHeadRows {
		e.asked = e.asked[:0]
		for row := first; row < min(first+maxHeadRows, len(canvas)); row++ {
			e.asked = append(e.asked, row)
		}
		e.head(e.asked)
		for i := range e.asked {
			out = append(out, e.logits[i*v:i*v+e.c.Vocab]...)
		}
	}
	return out, ctx.Err()
}
