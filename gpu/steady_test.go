package gpu_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/runtime/enginetest"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// Once a text was written, another makes no buffer and no bind group.
func TestSteadyState(t *testing.T) {
	ctx := context.Background()
	c := model.Config{Vocab: 120, Hidden: 16, Layers: 2, Heads: 2, Inner: 64, Window: 64, Block: 4, Mask: 119, NormEps: 1e-5, RopeBase: 10000}
	e, err := gpu.New(ctx, enginetest.Random(c, "f16", rand.New(rand.NewPCG(9, 9))), gpu.Options{})
	require.NoError(t, err)
	defer e.Close()
	write := func(name string) {
		p, err := policy.Parse(name)
		require.NoError(t, err)
		_, err = runtime.Generate(ctx, e, runtime.Request{MaxTokens: 100, Policy: p, Draw: draw.Options{Seed: 3, Temperature: 1, TopP: 1}}, &watcher{})
		require.NoError(t, err)
	}
	for range 2 {
		write("first-hitting")
		write("confidence:0.5")
	}
	before := e.Made()
	for range 3 {
		write("first-hitting")
		write("confidence:0.5")
	}
	require.Equal(t, before, e.Made())
}
