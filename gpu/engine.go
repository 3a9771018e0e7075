// Package gpu is the Engine on WebGPU, native and in the browser: the whole forward pass, the block
// cache and the draw of a token stay on the GPU, and only candidates come back.
package gpu

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/unmask-lm/unmask/gpu/device"
	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// Engine runs a pack on a WebGPU device.
type Engine struct {
	plan
	device *device.Device
	length int
	rows   int // most rows of one pass
}

// New opens a device and uploads the weights of a pack.
func New(ctx context.Context, p *model.Pack) (*Engine, error) {
	return newEngine(ctx, p, device.MaxBinding)
}

// newEngine is New with a limit on the size of one binding.
func newEngine(ctx context.Context, p *model.Pack, binding int64) (*Engine, error) {
	if p.Config.HeadDim() > largestHead {
		return nil, fmt.Errorf("attention heads are %d wide, the GPU engine runs up to %d; use --engine cpu", p.Config.HeadDim(), largestHead)
	}
	d, err := device.Open(ctx)
	if err != nil {
		return nil, err
	}
	e := &Engine{device: d, rows: max(minPassRows, 2*p.Config.Block)}
	e.c, e.half = p.Config, p.Manifest.Quantization == "f16"
	if e.weights, err = upload(d, p, binding); err == nil {
		err = e.allocate()
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return e, nil
}

// Info describes the adapter.
func (e *Engine) Info() device.Info { return e.device.Info }

// allocate makes every buffer beside the weights.
func (e *Engine) allocate() error {
	c := &e.c
	d, f, v := pad(c.Hidden), pad(c.Inner), pad(c.Vocab)
	rows := (e.rows + matmulTile - 1) / matmulTile * matmulTile
	headRows := min(maxHeadRows, (c.Block+matmulTile-1)/matmulTile*matmulTile)
	var err error
	words := func(label string, n int) (id record.BufferID) {
		if err == nil {
			id, err = e.device.NewBuffer(label, int64(n)*bytesPerWord, device.Storage)
		}
		return id
	}
	uniform := func(label string, value any) (id record.BufferID) {
		data := encode(value)
		if err == nil {
			id, err = e.device.NewBuffer(label, int64(len(data)), device.Uniform)
		}
		if err == nil {
			err = e.device.Write(id, 0, data)
		}
		return id
	}
	b := &e.b
	b.pass = uniform("pass", passUniform{})
	b.tokens, b.identity, b.asked = words("tokens", rows), words("identity", rows), words("asked", rows)
	b.draws, b.drawn = words("draws", 2*headRows), words("drawn", drawnSize/bytesPerWord*headRows)
	b.zeros, b.turns = words("zeros", 3*d), words("turns", c.Window*c.HeadDim())
	b.x, b.y, b.q, b.o = words("x", rows*d), words("y", rows*d), words("q", rows*d), words("o", rows*d)
	b.qkv, b.inner, b.logits = words("qkv", rows*pad(3*c.Hidden)), words("inner", rows*f), words("logits", headRows*v)
	for range c.Layers {
		b.keys, b.values = append(b.keys, words("keys", c.Window*d)), append(b.values, words("values", c.Window*d))
	}
	b.dims, e.uses = map[string][]record.BufferID{}, map[string][]dims{}
	for name, u := range uses(c) {
		e.uses[name] = e.parts(u)
		for _, part := range e.uses[name] {
			b.dims[name] = append(b.dims[name], uniform("dims."+name, part))
		}
	}
	if err != nil {
		return err
	}
	identity := make([]uint32, rows)
	for i := range identity {
		identity[i] = uint32(i)
	}
	if err := e.device.Write(b.identity, 0, encode(identity)); err != nil {
		return err
	}
	return e.device.Write(b.turns, 0, encode(turns(c)))
}

// Config implements runtime.Engine.
func (e *Engine) Config() *model.Config { return &e.c }

// Len implements runtime.Engine.
func (e *Engine) Len() int { return e.length }

// Close implements runtime.Engine.
func (e *Engine) Close() error {
	e.device.Close()
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
		if err := e.prepare(tokens[:n], nil, nil, &draw.Options{}); err != nil {
			return err
		}
		if _, err := e.device.Run(ctx, e.body(n, e.length), 0, 0); err != nil {
			return err
		}
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
	pass := append(append(make([]int, 0, len(fused)+len(canvas)), fused...), canvas...)
	record := e.body(len(pass), e.length)
	out := make([]draw.Candidate, 0, len(rows))
	// Most passes ask for at most maxHeadRows rows and are one submission.
	for first := 0; first == 0 || first < len(rows); first += maxHeadRows {
		some := rows[first:min(first+maxHeadRows, len(rows))]
		if err := e.prepare(pass, offset(some, len(fused)), e.drawInputs(some, first, &o), &o); err != nil {
			return nil, err
		}
		if len(some) > 0 {
			e.head(record, len(some))
			e.draw(record, len(some))
		}
		drawn, err := e.device.Run(ctx, record, e.b.drawn, int64(len(some)*drawnSize))
		if err != nil {
			return nil, err
		}
		out = appendCandidates(out, some, drawn)
		record.Commands = nil
	}
	e.length += len(fused)
	return out, nil
}

// Logits implements runtime.Engine.
func (e *Engine) Logits(ctx context.Context, canvas []int) ([]float32, error) {
	if err := runtime.CheckDenoise(&e.c, e.length, canvas, nil, nil); err != nil {
		return nil, err
	}
	record := e.body(len(canvas), e.length)
	out := make([]float32, 0, len(canvas)*e.c.Vocab)
	stride := pad(e.c.Vocab)
	for first := 0; first < len(canvas); first += maxHeadRows {
		n := min(maxHeadRows, len(canvas)-first)
		rows := make([]int, n)
		for i := range rows {
			rows[i] = first + i
		}
		if err := e.prepare(canvas, rows, nil, &draw.Options{}); err != nil {
			return nil, err
		}
		e.head(record, n)
		data, err := e.device.Run(ctx, record, e.b.logits, int64(n*stride*bytesPerWord))
		if err != nil {
			return nil, err
		}
		for r := range n {
			for v := range e.c.Vocab {
				out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(data[(r*stride+v)*bytesPerWord:])))
			}
		}
		record.Commands = nil
	}
	return out, nil
}

// prepare writes what a pass reads: its tokens, the rows asked for, what decides them, and how.
func (e *Engine) prepare(tokens, asked []int, draws []drawInput, o *draw.Options) error {
	if err := e.device.Write(e.b.tokens, 0, encode(narrow(tokens))); err != nil {
		return err
	}
	if err := e.device.Write(e.b.asked, 0, encode(narrow(asked))); err != nil {
		return err
	}
	if err := e.device.Write(e.b.draws, 0, encode(draws)); err != nil {
		return err
	}
	u := passUniform{
		Base: uint32(e.length), Rows: uint32(len(tokens)), Asks: uint32(len(asked)), Block: uint32(e.c.Block),
		Vocab: uint32(e.c.Vocab), Mask: uint32(e.c.Mask), LogitStride: uint32(pad(e.c.Vocab)),
		TopK: uint32(o.TopK), TopP: o.TopP,
	}
	if o.Temperature == 0 {
		u.Greedy = 1
	} else {
		u.InvTemperature = 1 / o.Temperature
	}
	return e.device.Write(e.b.pass, 0, encode(u))
}

func (e *Engine) drawInputs(rows []int, first int, o *draw.Options) []drawInput {
	out := make([]drawInput, len(rows))
	for i, row := range rows {
		out[i] = drawInput{o.Uniform(row), notForced}
		if o.Force != nil {
			out[i].Forced = uint32(o.Force[first+i])
		}
	}
	return out
}

func appendCandidates(out []draw.Candidate, rows []int, drawn []byte) []draw.Candidate {
	for i, row := range rows {
		at := drawn[i*drawnSize:]
		out = append(out, draw.Candidate{
			Row: row, Token: int(binary.LittleEndian.Uint32(at)),
			LogProb: float64(math.Float32frombits(binary.LittleEndian.Uint32(at[4:]))),
			Entropy: float64(math.Float32frombits(binary.LittleEndian.Uint32(at[8:]))),
		})
	}
	return out
}

func narrow(ids []int) []uint32 {
	out := make([]uint32, len(ids))
	for i, id := range ids {
		out[i] = uint32(id)
	}
	return out
}

func offset(rows []int, by int) []int {
	out := make([]int, len(rows))
	for i, row := range rows {
		out[i] = row + by
	}
	return out
}
