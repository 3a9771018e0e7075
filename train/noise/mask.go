package noise

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Masking is a way to choose which tokens of a block are masked, and what their loss weighs.
type Masking string

const (
	// Bernoulli masks each token with probability t, one t a block, weight 1/t: the paper's.
	Bernoulli Masking = "bernoulli"
	// Count masks k tokens of each block, k uniform over 1 … L', weight L'/k. Its expectation is the
	// same bound at ε → 0, since Σ_k 1/L' · L'/k · 1/C(L',k) gives every subset S the weight
	// (|S|-1)!(L'-|S|)!/L'! of the exact identity; integrating t out leaves far less variance.
	Count Masking = "count"
)

// maxRedraws bounds resampling; an interval that no fraction of masked tokens fits is refused by
// Validate before it could come to this.
const maxRedraws = 10_000

// Noiser masks sequences.
type Noiser struct {
	Masking  Masking
	Schedule Schedule // of Bernoulli; Linear where empty
	Interval Interval
	Block    int   // L'
	Mask     int32 // id of the mask token
	// IgnoreFirst, where not 0, is the length of a sequence whose first token is never masked (the
	// reference's ignore_bos).
	IgnoreFirst int
}

// Validate reports options under which no block could ever be drawn.
func (n Noiser) Validate() error {
	if err := n.Interval.Validate(); err != nil {
		return err
	}
	if n.Schedule != "" && !slices.Contains(Schedules, n.Schedule) {
		return fmt.Errorf("unknown noise schedule %q; expected one of %q", n.Schedule, Schedules)
	}
	switch n.Masking {
	case Bernoulli:
		for k := 0; k <= n.Block; k++ {
			if n.accepts(k) {
				return nil
			}
		}
		return fmt.Errorf("interval [%v, %v]: no number of masked tokens in a block of %d has its fraction inside", n.Interval.Low, n.Interval.High, n.Block)
	case Count:
		if n.Interval != Full || n.Schedule != "" && n.Schedule != Linear {
			return fmt.Errorf("masking %q takes no interval and no schedule, got [%v, %v], %q", Count, n.Interval.Low, n.Interval.High, n.Schedule)
		}
		return nil
	}
	return fmt.Errorf("unknown masking %q; expected %q or %q", n.Masking, Bernoulli, Count)
}

// accepts applies the reference's resampling rule: blocks whose masked fraction lies outside the
// interval are drawn again, where an end of the interval is not the full range's.
func (n Noiser) accepts(masked int) bool {
	f := float64(masked) / float64(n.Block)
	return (n.Interval.Low <= Full.Low || f >= n.Interval.Low) && (n.Interval.High >= 1 || f <= n.Interval.High)
}

// Apply writes the noised copy of x0 to xt and the loss weight of each token to weight: 0 where the
// token is not masked. All have the same length, a multiple of the block size.
func (n Noiser) Apply(rng *rand.Rand, x0, xt []int32, weight []float32) {
	blocks := len(x0) / n.Block
	levels := make([]float64, blocks)
	n.Interval.Levels(rng, levels)
	chosen := make([]bool, n.Block)
	offset := rng.IntN(n.Block)
	for b, t := range levels {
		var w float64
		if n.Masking == Count {
			w = n.drawCount(rng, b, offset, chosen)
		} else {
			n.drawBernoulli(rng, n.Schedule.Masked(t), chosen)
			w = n.weight(t)
		}
		if at := b * n.Block; n.IgnoreFirst > 0 && at%n.IgnoreFirst == 0 {
			chosen[0] = false
		}
		for i, masked := range chosen {
			at := b*n.Block + i
			xt[at], weight[at] = x0[at], 0
			if masked {
				xt[at], weight[at] = n.Mask, float32(w)
			}
		}
	}
}

// weight is the loss's at level t: 1 for all where only high noise is trained on (the reference's rule
// for low > 0.5).
func (n Noiser) weight(t float64) float64 {
	if n.Interval.Low > 0.5 {
		return 1
	}
	return n.Schedule.Weight(t)
}

// Rows lists the tokens that have a weight: their indices, and the weights, both of length size(count) ≥
// count, with weight 0 beyond the count.
func Rows(weight []float32, size func(count int) int) (rows []int32, weights []float32) {
	for i, w := range weight {
		if w != 0 {
			rows, weights = append(rows, int32(i)), append(weights, w)
		}
	}
	pad := size(len(rows)) - len(rows)
	return append(rows, make([]int32, pad)...), append(weights, make([]float32, pad)...)
}

// drawBernoulli masks each token with the given probability.
func (n Noiser) drawBernoulli(rng *rand.Rand, p float64, chosen []bool) {
	for range maxRedraws {
		masked := 0
		for i := range chosen {
			if chosen[i] = rng.Float64() <= p; chosen[i] {
				masked++
			}
		}
		if n.accepts(masked) {
			return
		}
	}
	panic("noise: interval refuses every draw; Validate was not called")
}

// drawCount masks a uniform subset of uniform size k. Every L' neighbouring blocks take each k once,
// from an offset that shifts with each round and batch.
func (n Noiser) drawCount(rng *rand.Rand, b int, offset int, chosen []bool) (weight float64) {
	k := 1 + (b+b/n.Block+offset)%n.Block
	clear(chosen)
	for left, i := k, 0; left > 0; i++ {
		if rng.IntN(n.Block-i) < left {
			chosen[i] = true
			left--
		}
	}
	return float64(n.Block) / float64(k)
}
