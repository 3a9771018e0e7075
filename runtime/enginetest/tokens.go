package enginetest

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// draws compares the candidates of single passes with the oracle's, under every option.
func (s Suite) draws(t *testing.T) {
	ctx := context.Background()
	each(t, 6, func(t *testing.T, p *model.Pack, rng *rand.Rand) {
		c := &p.Config
		e, oracle := s.open(t, p), s.Oracle(p)
		for range 12 {
			canvas := noisy(c, rng, clean(c, rng, c.Block))
			rows := rng.Perm(c.Block)[:1+rng.IntN(c.Block)]
			o := options(rng, c.Vocab)
			want, err := oracle.Denoise(ctx, canvas, rows, o)
			require.NoError(t, err)
			got, err := e.Denoise(ctx, canvas, rows, o)
			require.NoError(t, err)
			for i := range want {
				require.Equal(t, rows[i], got[i].Row)
				require.NotEqual(t, c.Mask, got[i].Token)
				require.Equal(t, want[i].Token, got[i].Token, "%+v, row %d", o, rows[i])
				require.InDelta(t, want[i].LogProb, got[i].LogProb, LogitTolerance)
				require.InDelta(t, want[i].Entropy, got[i].Entropy, LogitTolerance)
			}
		}
	})
}

// quiet observes nothing.
type quiet struct{}

func (quiet) Canvas(int, []int) error               { return nil }
func (quiet) Reveal(int, int, draw.Candidate) error { return nil }
func (quiet) Block(int, []int) error                { return nil }

// sameTokens writes texts with every policy and expects the oracle's, token by token.
func (s Suite) sameTokens(t *testing.T) {
	for i, name := range []string{"first-hitting", "confidence:0.05", "static:2", "factor:1.5", "entropy:3"} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(i), 11))
			c := shape(rng)
			c.Block, c.Window, c.Vocab, c.Mask = 4, 64, 200, 199
			p := Random(c, "f16", rng)
			chosen, err := policy.Parse(name)
			require.NoError(t, err)
			request := runtime.Request{
				Prompt: clean(&c, rng, 6), MaxTokens: 30, Policy: chosen,
				Draw: draw.Options{Seed: rng.Uint64(), Temperature: 1, TopP: 0.95},
			}
			want, err := runtime.Generate(context.Background(), s.Oracle(p), request, quiet{})
			require.NoError(t, err)
			require.Len(t, want.Tokens, 30)
			e := s.open(t, p)
			for range 2 { // the second time on an engine that was used before
				got, err := runtime.Generate(context.Background(), e, request, quiet{})
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
}

// beyondWindow writes several windows' worth of text and scores it.
func (s Suite) beyondWindow(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	c := shape(rng)
	c.Block, c.Window = 3, 13
	p := Random(c, "f32", rng)
	request := runtime.Request{
		Prompt: clean(&c, rng, 20), MaxTokens: 40, Policy: policy.FirstHitting{}, Draw: draw.Options{Seed: 9, Temperature: 1, TopP: 1},
	}
	want, err := runtime.Generate(context.Background(), s.Oracle(p), request, quiet{})
	require.NoError(t, err)
	e := s.open(t, p)
	got, err := runtime.Generate(context.Background(), e, request, quiet{})
	require.NoError(t, err)
	require.Equal(t, want, got)

	wantScore, err := runtime.Score(context.Background(), s.Oracle(p), want.Tokens, 1)
	require.NoError(t, err)
	gotScore, err := runtime.Score(context.Background(), e, want.Tokens, 1)
	require.NoError(t, err)
	require.InDeltaSlice(t, wantScore.PerToken, gotScore.PerToken, LogitTolerance)
}
