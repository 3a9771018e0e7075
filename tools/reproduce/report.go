package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// result is what was measured of a run.
type result struct {
	experiment
	nelbo, stdErr float64
	variance      map[string]float64 // by interval
	first         float64            // training loss of the first step
}

func (r *result) ppl() float64 { return math.Exp(r.nelbo) }

// finding is something that the paper says, and whether it was so here.
type finding struct {
	claim string
	holds bool
	seen  string
}

// vocabulary is V of the runs, the mask included.
const vocabulary = 1024

func findings(by map[string]*result) []finding {
	ppl := func(name string) float64 { return by[name].ppl() }
	order := []string{"ar", "bd4", "bd8", "bd16", "mdlm"}
	var ordered []string
	rising := true
	for i, name := range order {
		ordered = append(ordered, fmt.Sprintf("%s %.2f", name, ppl(name)))
		rising = rising && (i == 0 || ppl(order[i-1]) < ppl(name))
	}
	least := func(name string) (string, string) {
		best, all := "", ""
		for _, v := range []string{"[0.001, 0.5]", "[0.3, 0.8]", "[0.5, 1]", "[0.001, 1]"} {
			value, ok := by[name].variance[v]
			if !ok {
				continue
			}
			all += fmt.Sprintf("%s %.3g; ", v, value)
			if best == "" || value < by[name].variance[best] {
				best = v
			}
		}
		return best, strings.TrimSuffix(all, "; ")
	}
	four, seenFour := least("bd4")
	sixteen, seenSixteen := least("bd16")
	whole, seenWhole := least("mdlm")
	first := by["bd1-always"].first
	return []finding{
		{
			"Block size 1, always masked, has AR's perplexity (Table 1)", math.Abs(by["ar"].nelbo-by["bd1-always"].nelbo) < 0.02,
			fmt.Sprintf("%.2f against %.2f", ppl("bd1-always"), ppl("ar")),
		},
		{
			"Block size 1 under the linear schedule is worse than always masked: its loss varies more (Table 1)", ppl("bd1") > ppl("bd1-always"),
			fmt.Sprintf("%.2f against %.2f; variance %.3g against %.3g", ppl("bd1"), ppl("bd1-always"), by["bd1"].variance["[0.001, 1]"], by["bd1-always"].variance["[1, 1]"]),
		},
		{"AR < block 4 < block 8 < block 16 < MDLM in perplexity (Tables 3 and 4)", rising, strings.Join(ordered, ", ")},
		{"The loss of blocks of 4 varies least in [0.5, 1] (Table 2)", four == "[0.5, 1]", seenFour},
		{"of blocks of 16 in [0.3, 0.8] (Table 2)", sixteen == "[0.3, 0.8]", seenSixteen},
		{"of one block of all tokens in [0, 0.5] (Table 2)", whole == "[0.001, 0.5]", seenWhole},
		{"Clipped levels train blocks of 4 better than all levels (Table 2)", ppl("bd4-clipped") < ppl("bd4"), fmt.Sprintf("%.2f against %.2f", ppl("bd4-clipped"), ppl("bd4"))},
		{"The first loss is ln(V-1)", math.Abs(first-math.Log(vocabulary-1)) < 1e-3, fmt.Sprintf("%.4f against %.4f", first, math.Log(vocabulary-1))},
	}
}

// write writes the report. What stands behind the marker, by hand, is kept.
func (s *settings) write(results []result) error {
	by := map[string]*result{}
	for i := range results {
		by[results[i].name] = &results[i]
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `# The paper's findings, small

Written by `+"`make reproduce`"+` (%d steps a run; stop it and start it again as you like). Eight models of one size, 0.9 million parameters: 3 layers of width 128, sequences of %d tokens, a vocabulary of %d; the starter model's corpus; 4,096 tokens a step, AdamW at a constant 2e-3, averaged weights. They differ in objective, block size and noise levels alone. Perplexities are on %d held-out sequences: exact up to blocks of 8, otherwise sampled with the standard error given.

| run | what | NELBO, nats a token | perplexity |
|---|---|---|---|
`, s.steps, 128, vocabulary, s.sequences)
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %.4f%s | %.2f |\n", r.name, r.what, r.nelbo, plusMinus(r.stdErr), r.ppl())
	}
	b.WriteString("\n## What the paper says, and what was seen\n\n| finding | here | numbers |\n|---|---|---|\n")
	for _, f := range findings(by) {
		verdict := "yes"
		if !f.holds {
			verdict = "**no**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.claim, verdict, f.seen)
	}
	b.WriteString("\n![held-out bound](reproduction/nelbo.svg)\n\n![training loss](reproduction/loss.svg)\n\n" + marker + "\n")
	path := filepath.Join(s.report, "reproduction.md")
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if _, kept, ok := bytes.Cut(old, []byte(marker+"\n")); ok {
		b.Write(kept)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// marker is where the report's own text ends.
const marker = "## Remarks"

func plusMinus(stdErr float64) string {
	if stdErr == 0 {
		return ""
	}
	return fmt.Sprintf(" ± %.4f", stdErr)
}
