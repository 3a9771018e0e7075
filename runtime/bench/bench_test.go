package bench_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/cpu/simd"
	"github.com/unmask-lm/unmask/runtime/bench"
)

// Every context is whole blocks inside the window, and one model serves a group.
func TestCases(t *testing.T) {
	for _, s := range bench.Shapes {
		for _, quick := range []bool{false, true} {
			for _, group := range bench.Groups(bench.Cases(s, quick)) {
				m := s.Config(group[0].Rows)
				for _, c := range group {
					require.Equal(t, m.Block, c.Rows)
					require.Equal(t, group[0].Weights, c.Weights)
					require.Zero(t, c.Context%c.Rows)
					require.LessOrEqual(t, c.Context+c.Rows, m.Window)
				}
			}
		}
	}
}

// The paper's small model at 4 rows and 256 tokens of context: 1 GFLOP, and half as many bytes of
// weights in f16.
func TestWork(t *testing.T) {
	m := bench.Shapes[2].Config(4)
	flops, full := bench.Case{Weights: "f32", Rows: 4, Context: 256}.Work(&m)
	_, half := bench.Case{Weights: "f16", Rows: 4, Context: 256}.Work(&m)
	require.InEpsilon(t, 1.03e9, flops, 0.01)
	require.InEpsilon(t, 513e6, full, 0.01)
	require.InEpsilon(t, 2*123.5e6, full-half, 0.01)
}

func TestMeasure(t *testing.T) {
	s := bench.Shapes[0]
	c := bench.Case{Shape: s.Name, Weights: "f32", Rows: 4, Context: 256}
	e := simd.New(s.Pack(4, "f32"), 1)
	defer e.Close()
	r, err := bench.Measure(context.Background(), e, c, bench.Limits{FLOPs: 1e9, Bytes: 1e9})
	require.NoError(t, err)
	require.Equal(t, c, r.Case)
	require.Zero(t, e.Len())
	require.GreaterOrEqual(t, r.Runs, 2)
	require.InEpsilon(t, r.GFLOPs, r.OfMatmul, 1e-9)
	ms, err := bench.Rerun(context.Background(), e, c)
	require.NoError(t, err)
	require.Positive(t, ms)
	require.Zero(t, e.Len())
}
