package policy

import (
	"slices"

	"github.com/unmask-lm/unmask/runtime/draw"
)

// EntropyBound reveals the masks of lowest entropy while the sum of entropies, the largest left out,
// stays within Bound nats: it bounds the dependence that drawing them at once ignores (Ben-Hamu et
// al., 2025).
type EntropyBound struct{ Bound float64 }

// Ask implements Policy.
func (EntropyBound) Ask(masked []int, _ float32) []int { return masked }

// Reveal implements Policy.
func (p EntropyBound) Reveal(c []draw.Candidate) []draw.Candidate {
	sorted := slices.Clone(c)
	slices.SortStableFunc(sorted, func(a, b draw.Candidate) int {
		switch {
		case a.Entropy < b.Entropy:
			return -1
		case a.Entropy > b.Entropy:
			return 1
		}
		return a.Row - b.Row
	})
	n, sum := 1, sorted[0].Entropy
	for n < len(sorted) && sum <= p.Bound {
		sum += sorted[n].Entropy
		n++
	}
	return sorted[:n]
}
