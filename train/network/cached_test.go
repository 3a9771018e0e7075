package network_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/gobackend"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/tools/convert/source"
	"github.com/unmask-lm/unmask/train/checkpoint"
	"github.com/unmask-lm/unmask/train/network"
)

// passTolerance is for the same float32 sums in another order, at logits of a few units.
const passTolerance = 1e-5

// The trainer's doubled pass over unfolded weights, the folded model behind its prefix in one pass, and
// the folded model with its block cache give the same logits for every block.
func TestDoubledEqualsPrefixEqualsCached(t *testing.T) {
	ctx := context.Background()
	backend, err := gobackend.New("ops_sequential")
	require.NoError(t, err)
	defer backend.Finalize()
	for _, block := range []int{1, 3, 4, 12} {
		c := model.HubConfig{ModelType: model.HubModelType, VocabSize: 21, HiddenDim: 24, CondDim: 5, Blocks: 2, Heads: 3, ModelLength: 12, BlockSize: block}
		rng := rand.New(rand.NewPCG(uint64(block), 1))
		layout := network.NewLayout(&c)
		weights := layout.Init(uint64(block))
		for i := range weights {
			weights[i] += float32(0.15 * rng.NormFloat64()) // the zeros of gates and head too
		}
		x0, xt := make([]int, 12), make([]int, 12)
		for i := range x0 {
			x0[i] = rng.IntN(20)
			if xt[i] = x0[i]; rng.IntN(2) == 0 {
				xt[i] = 20
			}
		}
		exec, err := NewExec(backend, func(weights, xt, x0 *Node) *Node {
			return network.New(&c, layout.Split(weights), 12, network.Options{}, 0, nil).Doubled(xt, x0, block, nil)
		})
		require.NoError(t, err)
		out, err := exec.Call(weights, ids(xt), ids(x0))
		require.NoError(t, err)
		doubled, ok := out[0].Value().([][]float32)
		require.True(t, ok)

		state := &checkpoint.State{Config: c, Specs: layout.Specs, Weights: weights, EMA: weights, M: weights, V: weights}
		state.Trainer.Objective = "bd3lm"
		path, err := checkpoint.Save(t.TempDir(), state, 1)
		require.NoError(t, err)
		s, err := source.Open(path)
		require.NoError(t, err)
		p := model.NewPack(s.Config, "f32", func(spec model.TensorSpec) []float32 { return s.Float32s(spec.Name) })
		cached, prefix := cpu.New(p), cpu.New(p)
		for at := 0; at < 12; at += block {
			got, err := cached.Logits(ctx, xt[at:at+block])
			require.NoError(t, err)
			require.NoError(t, cached.Commit(ctx, x0[at:at+block]))
			require.NoError(t, prefix.Truncate(0))
			require.NoError(t, prefix.Commit(ctx, x0[:at]))
			whole, err := prefix.Logits(ctx, xt[at:at+block])
			require.NoError(t, err)
			require.InDeltaSlice(t, whole, got, passTolerance)
			for i := range block {
				require.InDeltaSlice(t, doubled[at+i], got[i*21:(i+1)*21], passTolerance, "block size %d, row %d", block, at+i)
			}
		}
	}
}
