package policy_test

import (
	"fmt"
	"math"

	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// A policy sees one candidate a masked row and chooses which to reveal.
func ExampleParse() {
	p, err := policy.Parse("confidence:0.8")
	if err != nil {
		fmt.Println(err)
		return
	}
	candidates := []draw.Candidate{{Row: 0, LogProb: math.Log(0.5)}, {Row: 1, LogProb: math.Log(0.9)}, {Row: 3, LogProb: math.Log(0.85)}}
	for _, c := range p.Reveal(candidates) {
		fmt.Println("row", c.Row)
	}
	// Output:
	// row 1
	// row 3
}
