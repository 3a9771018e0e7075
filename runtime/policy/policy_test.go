package policy

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/runtime/draw"
)

// candidates have the given probabilities, by row.
func candidates(probs ...float64) (out []draw.Candidate) {
	for row, p := range probs {
		out = append(out, draw.Candidate{Row: row, LogProb: math.Log(p), Entropy: 1 - p})
	}
	return out
}

func rows(c []draw.Candidate) (out []int) {
	for _, c := range c {
		out = append(out, c.Row)
	}
	return out
}

func TestReveal(t *testing.T) {
	probs := candidates(0.5, 0.95, 0.2, 0.92)
	for name, want := range map[string][]int{
		"confidence:0.9":  {1, 3},
		"confidence:0.99": {1},
		"confidence:0":    {1, 3, 0, 2},
		"static":          {1, 3},
		"static-3":        {1, 3, 0},
		"static:9":        {1, 3, 0, 2},
		"factor:0.2":      {1, 3}, // 2·(1-.92) = .16, 3·(1-.5) = 1.5
		"factor:0.1":      {1},
		"entropy:0.1":     {1, 3}, // sums without the largest: 0, .05, .13, …
		"entropy:0":       {1},
		"first-hitting":   {0, 1, 2, 3}, // what was asked for
	} {
		p, err := Parse(name)
		require.NoError(t, err, name)
		require.Equal(t, want, rows(p.Reveal(probs)), name)
	}
}

// Ties go to the lower row, so that engines agree.
func TestTies(t *testing.T) {
	require.Equal(t, []int{0}, rows(Static{1}.Reveal(candidates(0.5, 0.5, 0.5))))
}

func TestFirstHittingAsksOneRow(t *testing.T) {
	masked := []int{2, 5, 7, 8}
	for u, want := range map[float32]int{0.0001: 2, 0.26: 5, 0.5: 7, 0.99999: 8} {
		require.Equal(t, []int{want}, FirstHitting{}.Ask(masked, u))
	}
	require.Equal(t, masked, Confidence{}.Ask(masked, 0.5))
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"greedy":          "unknown policy",
		"conf":            `did you mean "confidence"`,
		"confidence:2":    "from 0 to 1",
		"confidence:x":    `"x"`,
		"confidence:NaN":  "expected a number",
		"static:0":        "from 1",
		"static:1.5":      "expected a number",
		"first-hitting:2": "takes no parameter",
		"":                "unknown policy",
	} {
		_, err := Parse(text)
		require.ErrorContains(t, err, want, text)
	}
	require.Contains(t, Help(), "first-hitting")
}
