package runtime

import "math"

// entropySpan is how many tokens the low-entropy stop looks back (reference diffusion.py).
const entropySpan = 256

// HistogramEntropy is the entropy of how often each id occurs, in nats.
func HistogramEntropy(ids []int) float64 {
	counts := map[int]int{}
	for _, id := range ids {
		counts[id]++
	}
	var h float64
	for _, n := range counts {
		p := float64(n) / float64(len(ids))
		h -= p * math.Log(p)
	}
	return h
}
