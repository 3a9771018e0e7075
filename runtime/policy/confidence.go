package policy

import (
	"math"

	"github.com/unmask-lm/unmask/runtime/draw"
)

// Confidence reveals every mask whose token has at least probability Threshold, and the most
// confident one in any case (Fast-dLLM, section 3.3).
type Confidence struct{ Threshold float64 }

// Ask implements Policy.
func (Confidence) Ask(masked []int, _ float32) []int { return masked }

// Reveal implements Policy.
func (p Confidence) Reveal(c []draw.Candidate) []draw.Candidate {
	sorted := byConfidence(c)
	n := 1
	for n < len(sorted) && math.Exp(sorted[n].LogProb) >= p.Threshold {
		n++
	}
	return sorted[:n]
}
