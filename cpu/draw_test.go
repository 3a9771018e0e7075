package cpu_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/runtime/draw"
)

func logitsOf(probs ...float64) []float32 {
	out := make([]float32, len(probs))
	for i, p := range probs {
		out[i] = float32(math.Log(p))
	}
	return out
}

// kept lists the tokens that some uniform draws.
func kept(logits []float32, mask int, o draw.Options) []int {
	seen := map[int]bool{}
	for i := range 4000 {
		seen[cpu.Draw(logits, mask, (float32(i)+0.5)/4000, &o, -1).Token] = true
	}
	var out []int
	for v := range logits {
		if seen[v] {
			out = append(out, v)
		}
	}
	return out
}

// The paper's nucleus keeps what is cumulatively at most p, and the top token; the usual one would keep
// the token that crosses p too (BD3-LM facts, section 4.4).
func TestNucleus(t *testing.T) {
	logits := append(logitsOf(.5, .3, .15, .05), 50) // the mask's logit is the highest and does not count
	for p, want := range map[float32][]int{.9: {0, 1}, .96: {0, 1, 2}, .4: {0}, .01: {0}, 1: {0, 1, 2, 3}, .81: {0, 1}} {
		require.Equal(t, want, kept(logits, 4, draw.Options{Temperature: 1, TopP: p}), "p = %v", p)
	}
	require.Equal(t, []int{0, 1, 2}, kept(logits, 4, draw.Options{Temperature: 1, TopP: 1, TopK: 3}))
	require.Equal(t, []int{0, 1}, kept(logits, 4, draw.Options{Temperature: 1, TopP: .9, TopK: 3}), "top-p is of what top-k leaves: .95·.9 = .855")
	require.Equal(t, []int{0}, kept(logits, 4, draw.Options{Temperature: 0, TopP: 1}))
	tied := logitsOf(.4, .2, .2, .2)
	require.Equal(t, []int{0}, kept(tied, -1, draw.Options{Temperature: 1, TopP: .7}), "equals go together")
	require.Equal(t, []int{0, 1, 2, 3}, kept(tied, -1, draw.Options{Temperature: 1, TopP: 1, TopK: 2}), "equals stay together")
}

// On random rows the kept mass is at most p unless the top token alone exceeds it.
func TestNucleusMass(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		logits := make([]float32, 2+rng.IntN(30))
		total := 0.
		for i := range logits {
			logits[i] = float32(3 * rng.NormFloat64())
			total += math.Exp(float64(logits[i]))
		}
		o := draw.Options{Temperature: 1, TopP: 0.05 + 0.9*rng.Float32()}
		mass, tokens := 0., kept(logits, -1, o)
		for _, v := range tokens {
			mass += math.Exp(float64(logits[v])) / total
		}
		require.True(t, len(tokens) == 1 || mass <= float64(o.TopP)+1e-6, "%v kept of %v", mass, o.TopP)
		require.Contains(t, tokens, slices.Index(logits, slices.Max(logits)))
	}
}

// Tokens come up as often as they should: χ² with 3 degrees of freedom; 21 is its 0.0001 quantile from
// above. Temperature sharpens as powers of the probabilities do.
func TestFrequencies(t *testing.T) {
	const n = 20000
	probs := []float64{.5, .3, .15, .05}
	for _, temperature := range []float64{1, 0.5, 2} {
		want, total := make([]float64, 4), 0.
		for i, p := range probs {
			want[i] = math.Pow(p, 1/temperature)
			total += want[i]
		}
		var got [4]float64
		o := draw.Options{Seed: 3, Temperature: float32(temperature), TopP: 1}
		for i := range n {
			o.Step = i
			got[cpu.Draw(logitsOf(probs...), -1, o.Uniform(0), &o, -1).Token]++
		}
		chi := 0.
		for i := range got {
			e := n * want[i] / total
			chi += (got[i] - e) * (got[i] - e) / e
		}
		require.Less(t, chi, 21., "temperature %v: %v", temperature, got)
	}
}

func TestLogProbAndEntropy(t *testing.T) {
	logits := append(logitsOf(.5, .25, .25), 9)
	c := cpu.Draw(logits, 3, 0.1, &draw.Options{Temperature: 0.3, TopP: 0.5}, -1)
	require.Equal(t, 0, c.Token)
	require.InDelta(t, math.Log(.5), c.LogProb, 1e-6, "at temperature 1 and without top-p, whatever the options")
	require.InDelta(t, 1.5*math.Ln2, c.Entropy, 1e-6)
	require.Equal(t, 2, cpu.Draw(logits, 3, 0.1, &draw.Options{Temperature: 1, TopP: 1}, 2).Token, "forced")
}
