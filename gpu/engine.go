// Package gpu is the Engine on WebGPU, native and in the browser: the whole forward pass, the block
// cache, the draw of a token and the policy's choice stay on the GPU, and only candidates come back.
package gpu

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/unmask-lm/unmask/gpu/device"
	"github.com/unmask-lm/unmask/gpu/shaders"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// Options decide how an engine runs; the zero value suits most.
type Options struct {
	// Tile is used for every matmul instead of what a measurement on the device would choose.
	Tile *shaders.Tile
	// Tuning remembers what was chosen on a device; nil measures anew each time.
	Tuning Tuning
	// Start, if not nil, is a device that Begin prepared for this model.
	Start *Start
	// Lost is told of every device that went away and was replaced.
	Lost func(err error)

	largestBinding int64
}

func (o *Options) binding() int64 {
	if o.largestBinding > 0 {
		return o.largestBinding
	}
	return device.MaxBinding
}

// Engine runs a pack on a WebGPU device. When the device is lost, it opens another, computes the cache
// again and goes on where it was: the caller sees a slow call and the same result.
type Engine struct {
	pack      *model.Pack
	options   Options
	core      *core
	committed []int // tokens whose keys and values are in the cache
}

// New opens a device and uploads the weights of a pack, which must stay as it is: it is needed again
// when the device is lost.
func New(ctx context.Context, p *model.Pack, o Options) (*Engine, error) {
	c, err := newCore(ctx, p, o)
	if err != nil {
		return nil, err
	}
	o.Start = nil // the next device, if this one is lost, starts anew
	return &Engine{pack: p, options: o, core: c}, nil
}

// Probe describes the adapter that New would take.
func Probe(ctx context.Context) (device.Info, error) {
	d, err := device.Open(ctx)
	if err != nil {
		return device.Info{}, err
	}
	d.Close()
	return d.Info, nil
}

// Info describes the adapter.
func (e *Engine) Info() device.Info { return e.core.device.Info }

// Config implements runtime.Engine.
func (e *Engine) Config() *model.Config { return &e.pack.Config }

// Len implements runtime.Engine.
func (e *Engine) Len() int { return len(e.committed) }

// Close implements runtime.Engine.
func (e *Engine) Close() error {
	e.core.close()
	return nil
}

// Truncate implements runtime.Engine.
func (e *Engine) Truncate(n int) error {
	if err := runtime.CheckTruncate(e.Config(), e.Len(), n); err != nil {
		return err
	}
	e.committed, e.core.length = e.committed[:n], n
	return nil
}

// Assume counts n tokens as committed, whatever the cache holds: for measurements.
func (e *Engine) Assume(n int) { e.committed, e.core.length = make([]int, n), n }

// Commit implements runtime.Engine.
func (e *Engine) Commit(ctx context.Context, tokens []int) error {
	if err := runtime.CheckCommit(e.Config(), e.Len(), tokens); err != nil {
		return err
	}
	return e.commit(ctx, tokens)
}

// commit runs checked tokens and remembers them as they are done.
func (e *Engine) commit(ctx context.Context, tokens []int) error {
	start := e.Len()
	err := e.retry(ctx, func() error {
		done := e.core.length - start
		return e.core.commit(ctx, tokens[done:])
	}, func() { e.committed = append(e.committed[:start], tokens[:e.core.length-start]...) })
	return err
}

// Denoise implements runtime.Engine.
func (e *Engine) Denoise(ctx context.Context, canvas, rows []int, o draw.Options) ([]draw.Candidate, error) {
	return e.CommitDenoise(ctx, nil, canvas, rows, o)
}

// CommitDenoise implements runtime.Engine.
func (e *Engine) CommitDenoise(ctx context.Context, tokens, canvas, rows []int, o draw.Options) ([]draw.Candidate, error) {
	fused, err := e.lead(ctx, tokens, canvas, rows, &o)
	if err != nil {
		return nil, err
	}
	var out []draw.Candidate
	err = e.retry(ctx, func() error {
		out = make([]draw.Candidate, 0, len(rows))
		return e.core.denoise(ctx, fused, canvas, rows, &o, true, func(some []int, data []byte) {
			for i, row := range some {
				out = append(out, candidate(row, data[i*drawOutputSize:]))
			}
		})
	}, nil)
	if err != nil {
		return nil, err
	}
	e.committed = append(e.committed, fused...)
	return out, nil
}

// lead checks a request, commits all but the last block of tokens, and returns that.
func (e *Engine) lead(ctx context.Context, tokens, canvas, rows []int, o *draw.Options) (fused []int, err error) {
	if err := runtime.CheckCommit(e.Config(), e.Len(), tokens); err != nil {
		return nil, err
	}
	if err := runtime.CheckDenoise(e.Config(), e.Len()+len(tokens), canvas, rows, o); err != nil {
		return nil, err
	}
	cut := max(0, len(tokens)-e.Config().Block)
	return slices.Clone(tokens[cut:]), e.commit(ctx, tokens[:cut])
}

// Logits implements runtime.Engine.
func (e *Engine) Logits(ctx context.Context, canvas []int) ([]float32, error) {
	if err := runtime.CheckDenoise(e.Config(), e.Len(), canvas, nil, nil); err != nil {
		return nil, err
	}
	rows := make([]int, len(canvas))
	for i := range rows {
		rows[i] = i
	}
	vocab := e.Config().Vocab
	var out []float32
	err := e.retry(ctx, func() error {
		out = make([]float32, 0, len(canvas)*vocab)
		return e.core.denoise(ctx, nil, canvas, rows, &draw.Options{}, false, func(some []int, data []byte) {
			for i := range some {
				row := data[i*pad(vocab)*bytesPerWord:]
				for v := range vocab {
					out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(row[v*bytesPerWord:])))
				}
			}
		})
	}, nil)
	return out, err
}

// CanStep implements runtime.Stepper.
func (e *Engine) CanStep() bool { return e.core.canStep() }

// Steps implements runtime.Stepper.
func (e *Engine) Steps(ctx context.Context, tokens, canvas []int, rule policy.Rule, order []int, o draw.Options, done func(step int, revealed []draw.Candidate) error) error {
	fused, err := e.lead(ctx, tokens, canvas, nil, &o)
	if err != nil {
		return err
	}
	told := 0
	tell := func(step int, revealed []draw.Candidate) error {
		if step < told { // seen before the device was lost
			return nil
		}
		told++
		return done(step, revealed)
	}
	base := e.Len()
	remember := func() { e.committed = append(e.committed[:base], fused[:e.core.length-base]...) }
	return e.retry(ctx, func() error {
		rest := fused
		if e.core.length > base {
			rest = nil
		}
		return e.core.steps(ctx, rest, canvas, rule, order, &o, tell)
	}, remember)
}
