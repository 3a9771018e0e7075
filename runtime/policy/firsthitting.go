package policy

import "github.com/unmask-lm/unmask/runtime/draw"

// FirstHitting reveals one uniformly chosen mask a pass (BD3-LM, section 4; Zheng et al., 2024). The
// row does not depend on the logits, so only one row of the head is needed.
type FirstHitting struct{}

// Ask implements Policy.
func (FirstHitting) Ask(masked []int, u float32) []int {
	return []int{masked[min(int(float64(u)*float64(len(masked))), len(masked)-1)]}
}

// Reveal implements Policy.
func (FirstHitting) Reveal(c []draw.Candidate) []draw.Candidate { return c }
