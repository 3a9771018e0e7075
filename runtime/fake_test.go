package runtime_test

import (
	"context"
	"math"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// fake is an engine whose distributions come from a function of everything a model may look at.
type fake struct {
	c         model.Config
	committed []int
	passes    int
	// probs returns p over V for a row, given the committed tokens and the canvas.
	probs func(committed, canvas []int, row int) []float64
}

func (f *fake) Config() *model.Config { return &f.c }
func (f *fake) Len() int              { return len(f.committed) }
func (f *fake) Close() error          { return nil }

func (f *fake) Commit(_ context.Context, tokens []int) error {
	if err := runtime.CheckCommit(&f.c, len(f.committed), tokens); err != nil {
		return err
	}
	f.committed = append(f.committed, tokens...)
	return nil
}

func (f *fake) Denoise(ctx context.Context, canvas, rows []int, o draw.Options) ([]draw.Candidate, error) {
	return f.CommitDenoise(ctx, nil, canvas, rows, o)
}

func (f *fake) CommitDenoise(ctx context.Context, tokens, canvas, rows []int, o draw.Options) ([]draw.Candidate, error) {
	if err := f.Commit(ctx, tokens); err != nil {
		return nil, err
	}
	if err := runtime.CheckDenoise(&f.c, len(f.committed), canvas, rows, &o); err != nil {
		return nil, err
	}
	f.passes++
	var out []draw.Candidate
	for i, row := range rows {
		p := f.probs(f.committed, canvas, row)
		token, sum := 0, 0.
		for sum = p[0]; sum <= float64(o.Uniform(row)) && token < len(p)-1; sum += p[token] {
			token++
		}
		if o.Force != nil {
			token = o.Force[i]
		}
		out = append(out, draw.Candidate{Row: row, Token: token, LogProb: math.Log(p[token])})
	}
	return out, nil
}

func (f *fake) Logits(context.Context, []int) ([]float32, error) { return nil, nil }

func (f *fake) Truncate(n int) error {
	if err := runtime.CheckTruncate(&f.c, len(f.committed), n); err != nil {
		return err
	}
	f.committed = f.committed[:n]
	return nil
}

// newFake has blocks of block tokens, vocab ids and the mask behind them.
func newFake(block, vocab, window int) *fake {
	f := &fake{c: model.Config{Vocab: vocab + 1, Mask: vocab, Block: block, Window: window}}
	f.probs = func(committed, canvas []int, row int) []float64 {
		// Any function of the visible tokens will do; this one is far from uniform and depends on all.
		state := 1 + row
		for i, id := range append(append([]int(nil), committed...), canvas...) {
			if id != f.c.Mask {
				state = (state*31 + (i+1)*(id+7)) % 1009
			}
		}
		p, total := make([]float64, vocab+1), 0.
		for v := range vocab {
			p[v] = 1 + float64((state*(v+3))%17)
			total += p[v]
		}
		for v := range p {
			p[v] /= total
		}
		return p
	}
	return f
}
