package enginetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model/golden"
	"github.com/unmask-lm/unmask/runtime"
)

// goldenLogits holds every block, at all five block sizes, to the reference implementation.
func (s Suite) goldenLogits(t *testing.T) {
	cases := golden.Load(t)
	for _, c := range cases.Cases {
		e := s.open(t, golden.Pack(t, c.Block))
		for at := 0; at < len(cases.X0); at += c.Block {
			var want []float32
			for _, row := range c.Logits[at : at+c.Block] {
				want = append(want, row...)
			}
			near(t, want, logits(t, e, c.XT[at:at+c.Block]), golden.Tolerance, "block size %d, block %d", c.Block, at/c.Block)
			commit(t, e, cases.X0[at:at+c.Block])
		}
	}
}

// goldenNELBO holds the exact bound of every block to the reference.
func (s Suite) goldenNELBO(t *testing.T) {
	cases := golden.Load(t)
	for _, c := range cases.Cases {
		if c.NELBOPerBlock == nil {
			continue
		}
		scored, err := runtime.Score(context.Background(), s.open(t, golden.Pack(t, c.Block)), cases.X0, 0)
		require.NoError(t, err)
		require.True(t, scored.Exact)
		for b, want := range c.NELBOPerBlock {
			var got float64
			for _, v := range scored.PerToken[b*c.Block : (b+1)*c.Block] {
				got += v
			}
			require.InDelta(t, want, got, golden.Tolerance, "block size %d, block %d", c.Block, b)
		}
		require.InDelta(t, c.NELBOPerToken, scored.NELBO()/float64(len(cases.X0)), golden.Tolerance)
	}
}
