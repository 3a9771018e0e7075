package policy

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/unmask-lm/unmask/runtime/draw"
)

// A policy and its rule choose the same candidates, and Sort restores the order in which Reveal gives
// them, whatever order an engine found them in.
func TestRuleIsItsPolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom([]Ruled{
			Static{2}, Static{0}, Confidence{0.4}, Confidence{0}, Factor{1.5}, EntropyBound{0.7}, EntropyBound{0},
		}).Draw(t, "policy")
		var c []draw.Candidate
		for row := range rapid.IntRange(1, 9).Draw(t, "rows") {
			prob := float64(rapid.IntRange(1, 9).Draw(t, "prob")) / 10 // ties happen
			c = append(c, draw.Candidate{Row: row, LogProb: math.Log(prob), Entropy: 1 - prob})
		}
		want := p.Reveal(c)
		got := p.Rule().Apply(c)
		require.Equal(t, want, got)
		found := slices.Clone(got)
		slices.SortFunc(found, func(a, b draw.Candidate) int { return a.Row - b.Row })
		require.Equal(t, want, p.Rule().Sort(found))
	})
	require.Equal(t, KindListed, FirstHitting{}.Rule().Kind)
}
