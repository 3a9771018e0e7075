package gpu_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/gpu/shaders"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime/enginetest"
)

// What a measurement chose is remembered and used again; what it can not have chosen is measured anew.
func TestTuningIsRemembered(t *testing.T) {
	ctx := context.Background()
	c := model.Config{Vocab: 500, Hidden: 32, Layers: 2, Heads: 2, Inner: 128, Window: 64, Block: 4, Mask: 499, NormEps: 1e-5, RopeBase: 10000}
	p := enginetest.Random(c, "f16", rand.New(rand.NewPCG(9, 9)))
	kept := memory{}
	logits := func() []float32 {
		e, err := gpu.New(ctx, p, gpu.Options{Tuning: kept})
		require.NoError(t, err)
		defer e.Close()
		out, err := e.Logits(ctx, []int{1, 499, 2, 499})
		require.NoError(t, err)
		return out
	}
	first := logits()
	require.Len(t, kept, 1)
	var key, chosen string
	for k, v := range kept {
		key, chosen = k, string(v)
	}
	require.Len(t, strings.Split(chosen, "\n"), 5)
	for _, line := range strings.Split(chosen, "\n") {
		_, tile, _ := strings.Cut(line, " ")
		_, err := shaders.ParseTile(tile)
		require.NoError(t, err, line)
	}

	other := shaders.Tiles[5].String()
	kept[key] = []byte("qkv " + other + "\nout " + other + "\nup " + other + "\ndown " + other + "\nhead " + other)
	mine := string(kept[key])
	require.InDeltaSlice(t, first, logits(), 1e-5)
	require.Equal(t, mine, string(kept[key]), "used as it is")

	kept[key] = []byte("nonsense")
	require.InDeltaSlice(t, first, logits(), 1e-5)
	require.NotEqual(t, "nonsense", string(kept[key]))
}
