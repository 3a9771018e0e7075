// Package policy holds the reveal policies: which masked rows are revealed after a pass. One file a
// policy, by its published name.
package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unmask-lm/unmask/runtime/draw"
)

// Policy decides which masks become tokens.
type Policy interface {
	// Ask returns the rows, out of the masked ones, that a pass must give candidates for. u decides
	// where the policy is random.
	Ask(masked []int, u float32) []int
	// Reveal returns the candidates to reveal, at least one.
	Reveal(candidates []draw.Candidate) []draw.Candidate
}

// kind describes a policy to Parse and its users.
type kind struct {
	name  string // with %s for its parameter
	help  string
	value float64 // of the parameter where none is given
	min   float64
	max   float64
	open  func(value float64) Policy // nil parameter: see FirstHitting
}

var kinds = []kind{
	{"first-hitting", "one mask at a time, in random order: the paper's sampler", 0, 0, 0, func(float64) Policy { return FirstHitting{} }},
	{"static", "the k most confident masks a pass", 2, 1, 1 << 16, func(k float64) Policy { return Static{int(k)} }},
	{"confidence", "every mask whose token has at least this probability", 0.9, 0, 1, func(v float64) Policy { return Confidence{v} }},
	{"factor", "the most confident masks while their doubt, times their number, stays below this", 1, 0, 1 << 16, func(v float64) Policy { return Factor{v} }},
	{"entropy", "the most certain masks while the sum of their entropies stays below this", 0.5, 0, 1 << 16, func(v float64) Policy { return EntropyBound{v} }},
}

// Parse reads a policy: a name, with a parameter after a colon where the policy takes one, such as
// confidence:0.9. static-2 is accepted for static:2.
func Parse(text string) (Policy, error) {
	name, parameter, given := strings.Cut(text, ":")
	if k, ok := strings.CutPrefix(text, "static-"); ok && !given {
		name, parameter, given = "static", k, true
	}
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return nil, fmt.Errorf("unknown policy %q; expected %s%s", name, Usage(), suggestion(name))
	}
	k := kinds[i]
	if !given {
		return k.open(k.value), nil
	}
	if k.max == 0 {
		return nil, fmt.Errorf("policy %q takes no parameter, got %q", name, parameter)
	}
	value, err := strconv.ParseFloat(parameter, 64)
	if err != nil || !(value >= k.min && value <= k.max) || name == "static" && value != float64(int(value)) {
		return nil, fmt.Errorf("policy %q: parameter is %q, expected a number from %v to %v", name, parameter, k.min, k.max)
	}
	return k.open(value), nil
}

// Usage lists the policies in a line.
func Usage() string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
		if k.max > 0 {
			names[i] += fmt.Sprintf(":%v", k.value)
		}
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// Help describes each policy in a line of its own.
func Help() string {
	var b strings.Builder
	for _, k := range kinds {
		fmt.Fprintf(&b, "  %-14s %s\n", k.name, k.help)
	}
	return b.String()
}

// suggestion names the known policy that name begins like.
func suggestion(name string) string {
	for _, k := range kinds {
		if len(name) >= 3 && strings.HasPrefix(k.name, name[:3]) {
			return fmt.Sprintf("; did you mean %q?", k.name)
		}
	}
	return ""
}

// byConfidence sorts a copy of the candidates, most probable first, lower rows first among equals.
func byConfidence(candidates []draw.Candidate) []draw.Candidate {
	out := slices.Clone(candidates)
	slices.SortStableFunc(out, func(a, b draw.Candidate) int {
		switch {
		case a.LogProb > b.LogProb:
			return -1
		case a.LogProb < b.LogProb:
			return 1
		}
		return a.Row - b.Row
	})
	return out
}
