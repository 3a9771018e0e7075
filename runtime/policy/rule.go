package policy

import (
	"math"
	"slices"

	"github.com/unmask-lm/unmask/runtime/draw"
)

// Kind is a policy by number, for engines that apply it where the candidates are.
type Kind int

// Kinds.
const (
	KindListed     Kind = iota // one row a pass, known beforehand: first-hitting
	KindStatic                 // parameter: how many
	KindConfidence             // parameter: the least probability
	KindFactor                 // parameter: the factor
	KindEntropy                // parameter: the bound in nats
)

// Rule is a policy as data.
type Rule struct {
	Kind      Kind
	Parameter float64
}

// Ruled is a policy that can be put as a rule.
type Ruled interface {
	Policy
	Rule() Rule
}

// Rule implements Ruled.
func (FirstHitting) Rule() Rule { return Rule{KindListed, 0} }

// Rule implements Ruled.
func (s Static) Rule() Rule { return Rule{KindStatic, float64(max(s.K, 1))} }

// Rule implements Ruled.
func (p Confidence) Rule() Rule { return Rule{KindConfidence, p.Threshold} }

// Rule implements Ruled.
func (p Factor) Rule() Rule { return Rule{KindFactor, p.Factor} }

// Rule implements Ruled.
func (p EntropyBound) Rule() Rule { return Rule{KindEntropy, p.Bound} }

// Apply is what Reveal does, for a policy given as a rule.
func (r Rule) Apply(c []draw.Candidate) []draw.Candidate {
	switch r.Kind {
	case KindStatic:
		return Static{int(r.Parameter)}.Reveal(c)
	case KindConfidence:
		return Confidence{r.Parameter}.Reveal(c)
	case KindFactor:
		return Factor{r.Parameter}.Reveal(c)
	case KindEntropy:
		return EntropyBound{r.Parameter}.Reveal(c)
	}
	return c
}

// Sort puts candidates into the order in which Reveal returns them.
func (r Rule) Sort(c []draw.Candidate) []draw.Candidate {
	all := Rule{r.Kind, math.Inf(1)}
	switch r.Kind {
	case KindListed:
		return c
	case KindStatic:
		all.Parameter = float64(len(c))
	case KindConfidence:
		all.Parameter = 0
	}
	return all.Apply(slices.Clone(c))
}
