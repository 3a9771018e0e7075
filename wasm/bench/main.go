//go:build js

// Command bench is the benchmark in a browser's Web Worker: the same measurements as `unmask bench`,
// each posted to the page as JSON text. Options come in the worker's URL: engines, shapes, quick, trace, tile.
package main

import (
	"context"
	goruntime "runtime"
	"strings"
	"syscall/js"

	"github.com/unmask-lm/unmask/cpu/simd"
	"github.com/unmask-lm/unmask/cpu/simd/kernels"
	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/gpu/shaders"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/strictjson"
	"github.com/unmask-lm/unmask/runtime/bench"
)

func main() {
	if err := run(context.Background()); err != nil {
		post(map[string]string{"error": err.Error()})
		return
	}
	post(map[string]bool{"done": true})
}

func post(v any) {
	text, err := strictjson.Marshal(v)
	if err != nil {
		panic(err) // numbers and strings
	}
	js.Global().Call("postMessage", string(text))
}

// option reads a parameter of the worker's URL.
func option(name string) string {
	query := js.Global().Get("URLSearchParams").New(js.Global().Get("location").Get("search"))
	if v := query.Call("get", name); v.Truthy() {
		return v.String()
	}
	return ""
}

func run(ctx context.Context) error {
	shapes, engines := option("shapes"), option("engines")
	for _, s := range bench.Shapes {
		if shapes != "" && !strings.Contains(shapes, s.Name) {
			continue
		}
		for _, group := range bench.Groups(bench.Cases(s, option("quick") != "")) {
			p := s.Pack(group[0].Rows, group[0].Weights)
			if engines == "" || strings.Contains(engines, "cpu") {
				if err := onCPU(ctx, p, group); err != nil {
					return err
				}
			}
			if engines == "" || strings.Contains(engines, "gpu") {
				if err := onGPU(ctx, p, group); err != nil {
					post(map[string]string{"skipped": "gpu browser", "why": err.Error()})
					engines = "cpu"
				}
			}
			p = nil
			goruntime.GC() // before the next model, which may be large
		}
	}
	return nil
}

func onCPU(ctx context.Context, p *model.Pack, cases []bench.Case) error {
	flops, bytes := simd.Peak(1)
	e := simd.New(p, 1)
	defer e.Close()
	return bench.Each(ctx, e, cases, bench.Limits{FLOPs: flops, Bytes: bytes}, func(r *bench.Result) error {
		r.Engine, r.Adapter, r.Threads = "cpu wasm", kernels.Level(), 1
		post(r)
		return nil
	})
}

func onGPU(ctx context.Context, p *model.Pack, cases []bench.Case) error {
	o := gpu.Options{Tuning: once{}}
	if name := option("tile"); name != "" {
		tile, err := shaders.ParseTile(name)
		if err != nil {
			return err
		}
		o.Tile = &tile
	}
	e, err := gpu.New(ctx, p, o)
	if err != nil {
		return err
	}
	defer e.Close()
	peak, err := e.Peak(ctx)
	if err != nil {
		return err
	}
	err = bench.Each(ctx, e, cases, bench.Limits{FLOPs: peak.FLOPs, Bytes: peak.Bytes}, func(r *bench.Result) error {
		cost, err := e.Cost()
		if err != nil {
			return err
		}
		r.Engine, r.Adapter, r.Dispatches, r.BytesBack = "gpu browser", e.Info().Name, cost.Dispatches, cost.Back
		post(r)
		return nil
	})
	if err != nil {
		return err
	}
	if option("trace") != "" {
		var table strings.Builder
		e.Assume(cases[len(cases)/2].Context)
		if err := e.Trace(ctx, &table); err != nil {
			return err
		}
		post(map[string]string{"trace": table.String()})
	}
	return nil
}

// once measures tiles anew for each model and remembers nothing.
type once struct{}

func (once) Load(string) []byte  { return nil }
func (once) Save(string, []byte) {}
