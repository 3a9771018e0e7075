package policy

import (
	"math"

	"github.com/unmask-lm/unmask/runtime/draw"
)

// Factor reveals the n most confident masks for the largest n with n·(1-p) < Factor, where p is the
// probability of the n-th: the more at once, the surer each must be (Fast-dLLM's factor rule).
type Factor struct{ Factor float64 }

// Ask implements Policy.
func (Factor) Ask(masked []int, _ float32) []int { return masked }

// Reveal implements Policy.
func (p Factor) Reveal(c []draw.Candidate) []draw.Candidate {
	sorted := byConfidence(c)
	n := 1
	for n < len(sorted) && float64(n+1)*(1-math.Exp(sorted[n].LogProb)) < p.Factor {
		n++
	}
	return sorted[:n]
}
