package enginetest

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// randomShapes holds logits to the oracle, behind contexts of every length.
func (s Suite) randomShapes(t *testing.T) {
	each(t, 8, func(t *testing.T, p *model.Pack, rng *rand.Rand) {
		c := &p.Config
		e, oracle := s.open(t, p), s.Oracle(p)
		for e.Len()+c.Block <= c.Window {
			block := clean(c, rng, c.Block)
			canvas := noisy(c, rng, block)
			near(t, logits(t, oracle, canvas), logits(t, e, canvas), LogitTolerance, "%d tokens of context", e.Len())
			commit(t, oracle, block)
			commit(t, e, block)
		}
	})
}

// all forces the candidates of every row of canvas, so that their log-probabilities can be compared.
func all(c *model.Config, canvas []int) (rows []int, o draw.Options) {
	o = draw.Options{Temperature: 1, TopP: 1}
	for row := range canvas {
		rows = append(rows, row)
		o.Force = append(o.Force, (c.Mask+1+row)%c.Vocab)
		if o.Force[row] == c.Mask {
			o.Force[row] = (c.Mask + 1) % c.Vocab
		}
	}
	return rows, o
}

func logProbs(t testing.TB, candidates []draw.Candidate, err error) []float32 {
	t.Helper()
	require.NoError(t, err)
	out := make([]float32, 2*len(candidates))
	for i, c := range candidates {
		out[2*i], out[2*i+1] = float32(c.LogProb), float32(c.Entropy)
	}
	return out
}

// cacheAgrees compares, at every block: the cache filled block by block, the whole context committed
// at once, everything in one fused pass, and the fused pass of one block.
func (s Suite) cacheAgrees(t *testing.T) {
	ctx := context.Background()
	each(t, 4, func(t *testing.T, p *model.Pack, rng *rand.Rand) {
		c := &p.Config
		cached, other := s.open(t, p), s.open(t, p)
		text := clean(c, rng, c.Window/c.Block*c.Block)
		for at := 0; at < len(text); at += c.Block {
			canvas := noisy(c, rng, text[at:at+c.Block])
			rows, o := all(c, canvas)
			candidates, err := cached.Denoise(ctx, canvas, rows, o)
			want := logProbs(t, candidates, err)

			require.NoError(t, other.Truncate(0))
			commit(t, other, text[:at])
			candidates, err = other.Denoise(ctx, canvas, rows, o)
			near(t, want, logProbs(t, candidates, err), CacheTolerance, "uncached, block %d", at/c.Block)

			require.NoError(t, other.Truncate(0))
			candidates, err = other.CommitDenoise(ctx, text[:at], canvas, rows, o)
			near(t, want, logProbs(t, candidates, err), CacheTolerance, "one pass, block %d", at/c.Block)
			require.Equal(t, at, other.Len())

			if at > 0 {
				require.NoError(t, other.Truncate(at-c.Block))
				candidates, err = other.CommitDenoise(ctx, text[at-c.Block:at], canvas, rows, o)
				near(t, want, logProbs(t, candidates, err), CacheTolerance, "fused, block %d", at/c.Block)
			}
			commit(t, cached, text[at:at+c.Block])
		}
	})
}

// truncate forgets blocks, and what comes after equals a run that never had them.
func (s Suite) truncate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	c := shape(rng)
	p := Random(c, "f32", rng)
	e, fresh := s.open(t, p), s.open(t, p)
	text, rest := clean(&c, rng, 3*c.Block), clean(&c, rng, c.Block)
	commit(t, e, text)
	require.Equal(t, len(text), e.Len())
	require.NoError(t, e.Truncate(c.Block))
	require.Equal(t, c.Block, e.Len())
	commit(t, e, rest)
	commit(t, fresh, append(append([]int(nil), text[:c.Block]...), rest...))
	canvas := noisy(&c, rng, rest)
	near(t, logits(t, fresh, canvas), logits(t, e, canvas), CacheTolerance, "after truncation")
}

// shortBlock runs canvases shorter than a block, as the end of a scored text is.
func (s Suite) shortBlock(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	c := shape(rng)
	c.Block, c.Window = 7, 30
	p := Random(c, "f32", rng)
	e, oracle := s.open(t, p), s.Oracle(p)
	context := clean(&c, rng, 7)
	commit(t, e, context)
	commit(t, oracle, context)
	for n := 1; n <= c.Block; n++ {
		canvas := noisy(&c, rng, clean(&c, rng, n))
		near(t, logits(t, oracle, canvas), logits(t, e, canvas), LogitTolerance, "%d rows", n)
	}
}

// badRequests are refused, and change nothing.
func (s Suite) badRequests(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(3, 3))
	c := shape(rng)
	c.Block, c.Window = 3, 9
	e := s.open(t, Random(c, "f32", rng))
	commit(t, e, clean(&c, rng, 6))
	good := clean(&c, rng, 3)
	o := draw.Options{Temperature: 1, TopP: 1}
	bad := map[string]func() error{
		"part of a block":      func() error { return e.Commit(ctx, good[:2]) },
		"mask in a commit":     func() error { return e.Commit(ctx, []int{good[0], c.Mask, good[1]}) },
		"token too large":      func() error { return e.Commit(ctx, []int{good[0], good[1], c.Vocab}) },
		"negative token":       func() error { _, err := e.Logits(ctx, []int{-1}); return err },
		"empty canvas":         func() error { _, err := e.Logits(ctx, nil); return err },
		"canvas over a block":  func() error { _, err := e.Logits(ctx, clean(&c, rng, 4)); return err },
		"row outside":          func() error { _, err := e.Denoise(ctx, good, []int{3}, o); return err },
		"truncate in a block":  func() error { return e.Truncate(4) },
		"truncate beyond":      func() error { return e.Truncate(9) },
		"commit beyond window": func() error { return e.Commit(ctx, clean(&c, rng, 6)) },
		"fused beyond window": func() error {
			_, err := e.CommitDenoise(ctx, good, good, []int{0}, o)
			return err
		},
	}
	for name, call := range bad {
		require.Error(t, call(), name)
		require.Equal(t, 6, e.Len(), name)
	}
	require.ErrorIs(t, e.Commit(ctx, clean(&c, rng, 6)), runtime.ErrWindow)
}
