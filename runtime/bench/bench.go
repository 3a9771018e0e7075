// Package bench measures passes of any engine on models of given shapes with random weights: what a
// pass costs does not depend on what the weights are.
package bench

import (
	"context"
	goruntime "runtime"
	"time"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// Shape is a model's architecture but for its block size.
type Shape struct {
	Name                         string
	Layers, Hidden, Heads, Vocab int
}

// Shapes are the starter model's, the paper's small model's, and a step in between.
var Shapes = []Shape{
	{"starter", 4, 192, 6, 4096},
	{"middle", 8, 512, 8, 16384},
	{"base", 12, 768, 12, 50258},
}

// window leaves room for the longest context and a block.
const window = 1040

// Config is the shape with a block size.
func (s Shape) Config(block int) model.Config {
	return model.Config{
		Vocab: s.Vocab, Hidden: s.Hidden, Layers: s.Layers, Heads: s.Heads, Inner: 4 * s.Hidden, Window: window,
		Block: block, Mask: s.Vocab - 1, NormEps: 1e-5, RopeBase: 10000,
	}
}

// Pack is a model of the shape with random weights, stored as f32 or f16.
func (s Shape) Pack(block int, weights string) *model.Pack {
	random := uint32(1)
	return model.NewPack(s.Config(block), weights, func(spec model.TensorSpec) []float32 {
		out := make([]float32, spec.Size())
		for i := range out {
			random = random*1664525 + 1013904223
			out[i] = (float32(random>>8)/(1<<24) - 0.5) * 0.06
		}
		return out
	})
}

// Case is one measurement: passes over a canvas of Rows tokens, all masked and all drawn, behind a
// context.
type Case struct {
	Shape   string `json:"shape"`
	Weights string `json:"weights"` // f32 or f16
	Rows    int    `json:"rows"`
	Context int    `json:"context"`
}

// Cases lists the cases of a shape, those of the same block size and weights next to each other. quick
// leaves only those that the goals are about.
func Cases(s Shape, quick bool) (out []Case) {
	for _, rows := range []int{4, 16, 32} {
		if quick && rows > 4 {
			break
		}
		for _, context := range []int{0, 16, 256, 1008} {
			out = append(out, Case{s.Name, "f32", rows, context / rows * rows})
		}
	}
	for _, context := range []int{16, 256, 1008} {
		out = append(out, Case{s.Name, "f16", 4, context})
	}
	return out
}

// Groups splits cases into those that one model serves.
func Groups(cases []Case) (out [][]Case) {
	for i, c := range cases {
		if i == 0 || c.Rows != cases[i-1].Rows || c.Weights != cases[i-1].Weights {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], c)
	}
	return out
}

// Result is what a case took.
type Result struct {
	Case
	Engine      string  `json:"engine"`
	Adapter     string  `json:"adapter"`
	Threads     int     `json:"threads,omitempty"`
	MS          float64 `json:"ms"` // the fastest pass
	Runs        int     `json:"runs"`
	GFLOPs      float64 `json:"gflops"` // a second
	GBs         float64 `json:"gbs"`    // weights and cache read a second
	Dispatches  int     `json:"dispatches,omitempty"`
	BytesBack   int64   `json:"bytes_back,omitempty"`
	Allocations float64 `json:"allocations"` // of Go memory, a pass
	OfMatmul    float64 `json:"of_matmul"`   // fraction of the plain matmul rate of the same run
	OfBandwidth float64 `json:"of_bandwidth"`
	ColdMS      float64 `json:"cold_ms,omitempty"`  // the first pass
	RerunMS     float64 `json:"rerun_ms,omitempty"` // the same without a cache; see Rerun
}

// Limits are what the machine reaches, measured in the same run.
type Limits struct {
	FLOPs float64 `json:"flops"` // a second
	Bytes float64 `json:"bytes"` // a second
}

// Engine is one that can be told to stand behind a context that was never computed.
type Engine interface {
	runtime.Engine
	// Assume counts n tokens as committed, whatever the cache holds.
	Assume(n int)
}

// Work is the arithmetic of a case and the bytes of weights and cache that it must read.
func (c Case) Work(m *model.Config) (flops, bytes float64) {
	size := map[string]float64{"f32": 4, "f16": 2}[c.Weights]
	dense := float64(m.Layers)*float64(4*m.Hidden*m.Hidden+2*m.Hidden*m.Inner) + float64(m.Hidden*m.Vocab)
	columns := float64(c.Context + c.Rows)
	rows, d, layers := float64(c.Rows), float64(m.Hidden), float64(m.Layers)
	return 2*rows*dense + 4*rows*columns*d*layers, size*dense + 2*4*columns*d*layers
}

// Each measures cases one after the other and hands over each result.
func Each(ctx context.Context, e Engine, cases []Case, limits Limits, done func(*Result) error) error {
	for _, c := range cases {
		r, err := Measure(ctx, e, c, limits)
		if err != nil {
			return err
		}
		if err := done(&r); err != nil {
			return err
		}
	}
	return nil
}

// Rerun times what a pass would cost without a cache: its whole context computed again, and then the
// canvas.
func Rerun(ctx context.Context, e Engine, c Case) (ms float64, err error) {
	m := e.Config()
	tokens, canvas := make([]int, c.Context), make([]int, c.Rows)
	for i := range canvas {
		canvas[i] = m.Mask
	}
	e.Assume(0)
	at := time.Now()
	if _, err = e.CommitDenoise(ctx, tokens, canvas, []int{0}, draw.Options{Temperature: 1, TopP: 1}); err != nil {
		return 0, err
	}
	e.Assume(0)
	return 1e3 * time.Since(at).Seconds(), nil
}

// longest is how long one case is measured, once it has run at all.
const longest = time.Second

// Measure times passes of an engine on a model of the case's shape and block size.
func Measure(ctx context.Context, e Engine, c Case, limits Limits) (Result, error) {
	m := e.Config()
	e.Assume(c.Context)
	defer e.Assume(0)
	canvas, rows := make([]int, c.Rows), make([]int, c.Rows)
	for i := range canvas {
		canvas[i], rows[i] = m.Mask, i
	}
	o := draw.Options{Temperature: 1, TopP: 1}
	pass := func() (time.Duration, error) {
		o.Step++
		at := time.Now()
		_, err := e.Denoise(ctx, canvas, rows, o)
		return time.Since(at), err
	}
	cold, err := pass()
	if err != nil {
		return Result{}, err
	}
	r := Result{Case: c, ColdMS: 1e3 * cold.Seconds()}
	var before, after goruntime.MemStats
	goruntime.ReadMemStats(&before)
	best, began := time.Duration(1<<62), time.Now()
	for r.Runs < 2 || r.Runs < 200 && time.Since(began) < longest {
		took, err := pass()
		if err != nil {
			return r, err
		}
		best = min(best, took)
		r.Runs++
		if time.Since(began) > 4*longest {
			break
		}
	}
	goruntime.ReadMemStats(&after)
	r.Allocations = float64(after.Mallocs-before.Mallocs) / float64(r.Runs)
	flops, bytes := c.Work(m)
	seconds := best.Seconds()
	r.MS, r.GFLOPs, r.GBs = 1e3*seconds, flops/seconds/1e9, bytes/seconds/1e9
	if limits.FLOPs > 0 {
		r.OfMatmul, r.OfBandwidth = flops/seconds/limits.FLOPs, bytes/seconds/limits.Bytes
	}
	return r, nil
}
