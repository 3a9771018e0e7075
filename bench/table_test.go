package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/runtime/bench"
)

func TestGoals(t *testing.T) {
	at := func(engine string, threads int, weights string, context int, ms float64) bench.Result {
		return bench.Result{Case: bench.Case{Shape: "base", Weights: weights, Rows: 4, Context: context}, Engine: engine, Threads: threads, MS: ms, OfMatmul: 0.7}
	}
	r := &report{Results: []bench.Result{
		at("cpu native", 1, "f32", 16, 10), at("cpu native", 1, "f32", 256, 20), at("cpu native", 1, "f32", 1008, 15), at("cpu native", 1, "f16", 256, 10),
		at("gpu browser", 0, "f32", 256, 100), at(ortNative, 1, "f32", 256, 30), at(ortWebGPU, 1, "f32", 256, 3000),
	}}
	r.goals()
	got := map[string]goal{}
	for _, g := range r.Goals {
		got[g.Name] = g
	}
	g := got["native CPU f32, times as fast as onnxruntime, threads: 1"]
	require.InDelta(t, 1.5, g.Got, 1e-9)
	require.True(t, g.met())
	require.InDelta(t, 3, got["native CPU f16, times as fast as onnxruntime f32, threads: 1"].Got, 1e-9)
	g = got["WebGPU in Chromium, times as fast as ort-web WebGPU"]
	require.InDelta(t, 30, g.Got, 1e-9)
	require.False(t, g.met())
	g = got["cpu native f32, cost of context 1008 against 16"]
	require.InDelta(t, 1.5, g.Got, 1e-9)
	require.False(t, g.met(), "at most 1.3")
	require.Zero(t, got["WASM f32, times as fast as ort-web WASM, one thread"].Got)

	var out strings.Builder
	r.print(&out)
	require.Contains(t, out.String(), "30.00")
	require.Contains(t, out.String(), "not measured")
	require.Contains(t, out.String(), "missed")
}
