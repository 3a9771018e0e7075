package policy

import "github.com/unmask-lm/unmask/runtime/draw"

// Static reveals the K most confident masks a pass (SDAR's low_confidence_static).
type Static struct{ K int }

// Ask implements Policy.
func (Static) Ask(masked []int, _ float32) []int { return masked }

// Reveal implements Policy.
func (s Static) Reveal(c []draw.Candidate) []draw.Candidate {
	return byConfidence(c)[:min(max(s.K, 1), len(c))]
}
