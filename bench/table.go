package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/unmask-lm/unmask/runtime/bench"
)

// peerOf names the peer that each engine is compared with.
var peerOf = map[string]string{
	"cpu native": ortNative, "cpu wasm": ortWASM, "gpu browser": ortWebGPU,
}

// find returns the measurement of an engine, or nil.
func (r *report) find(engine string, threads int, c bench.Case) *bench.Result {
	i := slices.IndexFunc(r.Results, func(x bench.Result) bool {
		return x.Engine == engine && (threads == 0 || x.Threads == threads) && x.Case == c
	})
	if i < 0 {
		return nil
	}
	return &r.Results[i]
}

// ratio is how many times faster a result is than its peer on the same work, or 0. The peers' weights
// are f32.
func (r *report) ratio(x *bench.Result) float64 {
	c := x.Case
	c.Weights = "f32"
	if peer := r.find(peerOf[x.Engine], x.Threads, c); peerOf[x.Engine] != "" && peer != nil {
		return peer.MS / x.MS
	}
	return 0
}

// goal is one that the project set itself, a ratio of measurements of this run.
type goal struct {
	Name   string  `json:"name"`
	Wanted float64 `json:"wanted"`
	Got    float64 `json:"got"` // 0: not measured
	Most   bool    `json:"most,omitempty"`
}

// met tells whether a goal is.
func (g goal) met() bool {
	if g.Most {
		return g.Got <= g.Wanted
	}
	return g.Got >= g.Wanted
}

// goals computes the ratios of the base shape.
func (r *report) goals() {
	at := func(weights string, context int) bench.Case {
		return bench.Case{Shape: "base", Weights: weights, Rows: 4, Context: context}
	}
	versus := func(engine string, threads int, weights string) float64 {
		if x := r.find(engine, threads, at(weights, 256)); x != nil {
			return r.ratio(x)
		}
		return 0
	}
	r.Goals = append(r.Goals,
		goal{Name: "WebGPU in Chromium, times as fast as ort-web WebGPU", Wanted: 40, Got: versus("gpu browser", 0, "f32")},
		goal{Name: "WASM f32, times as fast as ort-web WASM, one thread", Wanted: 1.2, Got: versus("cpu wasm", 1, "f32")},
		goal{Name: "WASM f16, the same", Wanted: 1.2, Got: versus("cpu wasm", 1, "f16")},
	)
	if x := r.find("gpu browser", 0, at("f32", 256)); x != nil {
		r.Goals = append(r.Goals, goal{Name: "WebGPU in Chromium, fraction of the plain matmul rate", Wanted: 0.6, Got: x.OfMatmul})
	}
	for threads := 1; threads <= 2; threads++ {
		r.Goals = append(r.Goals,
			goal{Name: fmt.Sprintf("native CPU f32, times as fast as onnxruntime, threads: %d", threads), Wanted: 1, Got: versus("cpu native", threads, "f32")},
			goal{Name: fmt.Sprintf("native CPU f16, times as fast as onnxruntime f32, threads: %d", threads), Wanted: 1.7, Got: versus("cpu native", threads, "f16")})
	}
	if x := r.find("cpu native", 1, at("f32", 1008)); x != nil {
		r.Goals = append(r.Goals, goal{Name: "block cache against computing the window again, context 1008", Wanted: 10, Got: x.RerunMS / x.MS})
	}
	if x := r.find("gpu browser", 0, at("f32", 0)); x != nil {
		r.Goals = append(r.Goals, goal{Name: "first pass in Chromium after the weights, ms", Wanted: 300, Got: x.ColdMS, Most: true})
	}
	for _, t := range r.Training {
		if t.Trainer == "train" {
			r.Goals = append(r.Goals, goal{Name: fmt.Sprintf("training tokens/s, times eager PyTorch's, %s", t.Shape), Wanted: 1, Got: t.Ratio})
		}
	}
	for _, engine := range []string{"gpu browser", "gpu native", "cpu native", "cpu wasm"} {
		for _, weights := range []string{"f32", "f16"} {
			near, far := r.find(engine, 0, at(weights, 16)), r.find(engine, 0, at(weights, 1008))
			if near != nil && far != nil {
				r.Goals = append(r.Goals, goal{Name: fmt.Sprintf("%s %s, cost of context 1008 against 16", engine, weights), Wanted: 1.3, Got: far.MS / near.MS, Most: true})
			}
		}
	}
}

// print prints the tables.
func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "%s\n\n", r.Machine)
	fmt.Fprintf(out, "%-14s %7s %-8s %-7s %4s %7s %10s %8s %7s %8s %8s %10s %6s %7s %8s\n",
		"engine", "threads", "model", "weights", "rows", "context", "ms a pass", "GFLOP/s", "GB/s", "matmul", "memory", "dispatches", "back", "allocs", "× peer")
	for i := range r.Results {
		x := &r.Results[i]
		ratio := ""
		if v := r.ratio(x); v > 0 {
			ratio = fmt.Sprintf("%.2f", v)
		}
		fmt.Fprintf(out, "%-14s %7d %-8s %-7s %4d %7d %10.2f %8.2f %7.2f %7.0f%% %7.0f%% %10d %6d %7.0f %8s\n", x.Engine, x.Threads, x.Shape, x.Weights,
			x.Rows, x.Context, x.MS, x.GFLOPs, x.GBs, 100*x.OfMatmul, 100*x.OfBandwidth, x.Dispatches, x.BytesBack, x.Allocations, ratio)
	}
	r.printTraining(out)
	fmt.Fprintf(out, "\nStarter model, %d texts of %d tokens a policy:\n%-16s %12s %12s %14s %10s\n", seeds, textTokens, "policy", "tokens/pass", "tokens/s", "nats/token", "perplexity")
	for _, t := range r.Text {
		fmt.Fprintf(out, "%-16s %12.2f %12.1f %14.3f %10.1f\n", t.Policy, t.TokensPerPass, t.TokensPerSecond, t.NELBO, t.Perplexity)
	}
	fmt.Fprintf(out, "\nGoals:\n")
	for _, g := range r.Goals {
		verdict := "missed"
		switch {
		case g.Got == 0:
			verdict = "not measured"
		case g.met():
			verdict = "met"
		}
		sign := "≥"
		if g.Most {
			sign = "≤"
		}
		fmt.Fprintf(out, "  %-60s %s %-5v got %-8.2f %s\n", g.Name, sign, g.Wanted, g.Got, verdict)
	}
}
