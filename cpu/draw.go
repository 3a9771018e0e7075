package cpu

import (
	"cmp"
	"math"
	"slices"

	"github.com/unmask-lm/unmask/runtime/draw"
)

// Draw draws a token from logits (V) with the uniform u, by inverting the cumulative
// distribution in the order of ids; forced is the token to take instead, or -1. The mask has no
// probability (SUBS).
func Draw(logits []float32, mask int, u float32, o *draw.Options, forced int) draw.Candidate {
	best := argmax(logits, mask)
	top := float64(logits[best])
	var total, weighted float64
	for v, l := range logits {
		if v != mask {
			e := math.Exp(float64(l) - top)
			total += e
			weighted += e * (float64(l) - top)
		}
	}
	token := forced
	if token < 0 {
		token = choose(logits, mask, best, u, o)
	}
	return draw.Candidate{
		Token:   token,
		LogProb: float64(logits[token]) - top - math.Log(total),
		Entropy: math.Log(total) - weighted/total,
	}
}

func argmax(logits []float32, mask int) int {
	best := -1
	for v, l := range logits {
		if v != mask && (best < 0 || l > logits[best]) {
			best = v
		}
	}
	return best
}

func choose(logits []float32, mask, best int, u float32, o *draw.Options) int {
	if o.Temperature == 0 {
		return best
	}
	weight := func(l float32) float64 {
		return math.Exp((float64(l) - float64(logits[best])) / float64(o.Temperature))
	}
	cut := cutoff(logits, mask, weight, o)
	var total float64
	for v, l := range logits {
		if v != mask && l >= cut {
			total += weight(l)
		}
	}
	target, sum, last := float64(u)*total, 0., best
	for v, l := range logits {
		if v != mask && l >= cut {
			last = v
			if sum += weight(l); sum > target {
				break
			}
		}
	}
	return last
}

// cutoff is the lowest logit that top-k and then top-p let through.
func cutoff(logits []float32, mask int, weight func(float32) float64, o *draw.Options) float32 {
	var sorted []float32
	for v, l := range logits {
		if v != mask {
			sorted = append(sorted, l)
		}
	}
	slices.SortFunc(sorted, func(a, b float32) int { return cmp.Compare(b, a) })
	if o.TopK > 0 && o.TopK < len(sorted) {
		last := sorted[o.TopK-1]
		for len(sorted) > o.TopK && sorted[len(sorted)-1] < last {
			sorted = sorted[:len(sorted)-1]
		}
	}
	if o.TopP >= 1 {
		return sorted[len(sorted)-1]
	}
	var total, sum float64
	for _, l := range sorted {
		total += weight(l)
	}
	cut := sorted[0]
	for i := 0; i < len(sorted); {
		j := i
		for ; j < len(sorted) && sorted[j] == sorted[i]; j++ { // equal logits stay or go together
			sum += weight(sorted[j])
		}
		if sum > float64(o.TopP)*total {
			break
		}
		cut, i = sorted[i], j
	}
	return cut
}
