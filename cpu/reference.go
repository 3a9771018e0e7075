package cpu

import (
	"context"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// Reference is the oracle's Engine.
type Reference struct {
	c      model.Config
	w      map[string][]float32
	length int
	k, v   [][]float32 // a layer: rotated keys and values of committed tokens, (C, D)
}

// New opens a reference engine on the weights of a pack, all widened to float32.
func New(p *model.Pack) *Reference {
	r := &Reference{c: p.Config, w: map[string][]float32{}}
	for _, s := range r.c.Tensors() {
		r.w[s.Name] = p.Tensor(s.Name).Float32s()
	}
	r.k, r.v = make([][]float32, r.c.Layers), make([][]float32, r.c.Layers)
	return r
}

// Config implements runtime.Engine.
func (r *Reference) Config() *model.Config { return &r.c }

// Len implements runtime.Engine.
func (r *Reference) Len() int { return r.length }

// Close implements runtime.Engine.
func (r *Reference) Close() error { return nil }

// forward runs tokens behind the committed ones and returns the residual stream (T, D). Their keys
// and values are left in the cache; only the first keep of them stay beyond the next pass.
func (r *Reference) forward(tokens []int, keep int) []float32 {
	c := &r.c
	d, head := c.Hidden, c.HeadDim()
	limit := func(t int) int { return runtime.Limit(r.length, t, len(tokens), c.Block) }
	x := Embed(r.w[model.Embedding], tokens, d)
	for i := range c.Layers {
		w := func(suffix string) []float32 { return r.w[model.Layer(i, suffix)] }
		y := LayerNorm(x, w(model.Norm1Weight), w(model.Norm1Bias), c.NormEps)
		qkv := w(model.QKVWeight)
		q := MatMul(y, qkv[:d*d], nil, d)
		k := MatMul(y, qkv[d*d:2*d*d], nil, d)
		v := MatMul(y, qkv[2*d*d:], nil, d)
		Rope(q, d, head, r.length, c.RopeBase)
		Rope(k, d, head, r.length, c.RopeBase)
		r.k[i] = append(r.k[i][:r.length*d], k...)
		r.v[i] = append(r.v[i][:r.length*d], v...)
		o := Attend(q, r.k[i], r.v[i], d, head, limit)
		Add(x, MatMul(o, w(model.OutWeight), nil, d))
		y = LayerNorm(x, w(model.Norm2Weight), w(model.Norm2Bias), c.NormEps)
		y = MatMul(y, w(model.UpWeight), w(model.UpBias), d)
		GELU(y)
		Add(x, MatMul(y, w(model.DownWeight), w(model.DownBias), c.Inner))
	}
	r.length += keep
	return x
}

// head maps rows of the residual stream (T, D) to logits (T, V).
func (r *Reference) head(x []float32) []float32 {
	y := LayerNorm(x, r.w[model.FinalNormWeight], r.w[model.FinalNormBias], r.c.NormEps)
	return MatMul(y, r.w[model.HeadWeight], r.w[model.HeadBias], r.c.Hidden)
}

// Commit implements runtime.Engine.
func (r *Reference) Commit(_ context.Context, tokens []int) error {
	if err := runtime.CheckCommit(&r.c, r.length, tokens); err != nil {
		return err
	}
	r.forward(tokens, len(tokens))
	return nil
}

// Denoise implements runtime.Engine.
func (r *Reference) Denoise(ctx context.Context, canvas, rows []int, o draw.Options) ([]draw.Candidate, error) {
	return r.CommitDenoise(ctx, nil, canvas, rows, o)
}

// CommitDenoise implements runtime.Engine.
func (r *Reference) CommitDenoise(_ context.Context, tokens, canvas, rows []int, o draw.Options) ([]draw.Candidate, error) {
	if err := runtime.CheckCommit(&r.c, r.length, tokens); err != nil {
		return nil, err
	}
	if err := runtime.CheckDenoise(&r.c, r.length+len(tokens), canvas, rows, &o); err != nil {
		return nil, err
	}
	d := r.c.Hidden
	x := r.forward(append(append([]int(nil), tokens...), canvas...), len(tokens))[len(tokens)*d:]
	out := make([]draw.Candidate, len(rows))
	for i, row := range rows {
		forced := -1
		if o.Force != nil {
			forced = o.Force[i]
		}
		out[i] = Draw(r.head(x[row*d:(row+1)*d]), r.c.Mask, o.Uniform(row), &o, forced)
		out[i].Row = row
	}
	return out, nil
}

// Logits implements runtime.Engine.
func (r *Reference) Logits(_ context.Context, canvas []int) ([]float32, error) {
	if err := runtime.CheckDenoise(&r.c, r.length, canvas, nil, nil); err != nil {
		return nil, err
	}
	return r.head(r.forward(canvas, 0)), nil
}

// Truncate implements runtime.Engine.
func (r *Reference) Truncate(n int) error {
	if err := runtime.CheckTruncate(&r.c, r.length, n); err != nil {
		return err
	}
	r.length = n
	return nil
}
