package cpu

import "math"

// Attend is softmax(q·kᵀ/√head)·v for each head: queries (T, D) against keys and values (C, D), of
// which row t sees the first limit(t).
func Attend(q, k, v []float32, d, head int, limit func(t int) int) []float32 {
	out := make([]float32, len(q))
	scale := 1 / math.Sqrt(float64(head))
	for t := range len(q) / d {
		scores := make([]float64, limit(t))
		for h := 0; h < d; h += head {
			query := q[t*d+h : t*d+h+head]
			best := math.Inf(-1)
			for c := range scores {
				var dot float64
				for i, x := range k[c*d+h : c*d+h+head] {
					dot += float64(x) * float64(query[i])
				}
				scores[c] = dot * scale
				best = max(best, scores[c])
			}
			var total float64
			sum := make([]float64, head)
			for c, s := range scores {
				p := math.Exp(s - best)
				total += p
				for i, x := range v[c*d+h : c*d+h+head] {
					sum[i] += p * float64(x)
				}
			}
			for i, s := range sum {
				out[t*d+h+i] = float32(s / total)
			}
		}
	}
	return out
}
