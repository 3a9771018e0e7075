package fold_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/fold"
)

func weights(c *model.HubConfig) map[string][]float32 {
	rng := rand.New(rand.NewPCG(1, 1))
	w := map[string][]float32{}
	for _, s := range c.Tensors() {
		values := make([]float32, s.Size())
		for i := range values {
			values[i] = float32(rng.NormFloat64())
		}
		w[s.Name] = values
	}
	return w
}

// Folded is every tensor that an engine wants, in its size; without modulation nothing changes.
func TestFold(t *testing.T) {
	plain := false
	for _, modulated := range []*bool{nil, &plain} {
		c := model.HubConfig{ModelType: model.HubModelType, VocabSize: 7, HiddenDim: 8, CondDim: 3, Blocks: 2, Heads: 2, ModelLength: 8, BlockSize: 4, AdaLN: modulated}
		w := weights(&c)
		out := fold.Fold(&c, w)
		config := c.Folded(6)
		for _, s := range config.Tensors() {
			require.Len(t, out[s.Name], s.Size(), s.Name)
		}
		if modulated != nil {
			require.Equal(t, w[model.HubLayer(1, model.HubOut)], out[model.Layer(1, model.OutWeight)])
			require.Equal(t, make([]float32, 8), out[model.Layer(1, model.Norm1Bias)])
		}
	}
}

// Where the condition's layer is zero, the modulation is its bias: shift, scale and gate in this order.
func TestFoldIsExact(t *testing.T) {
	c := model.HubConfig{ModelType: model.HubModelType, VocabSize: 7, HiddenDim: 2, CondDim: 3, Blocks: 1, Heads: 1, ModelLength: 8, BlockSize: 4}
	w := weights(&c)
	clear(w[model.HubLayer(0, model.HubAdaLN)+".weight"])
	bias := w[model.HubLayer(0, model.HubAdaLN)+".bias"]
	out := fold.Fold(&c, w)
	for i := range 2 {
		require.Equal(t, bias[i], out[model.Layer(0, model.Norm1Bias)][i])
		scaled := float64(w[model.HubLayer(0, model.HubNorm1)][i]) * (1 + float64(bias[2+i]))
		require.InDelta(t, scaled, float64(out[model.Layer(0, model.Norm1Weight)][i]), 1e-6*math.Abs(scaled)+1e-9)
		for j := range 2 {
			gated := float64(w[model.HubLayer(0, model.HubOut)][2*i+j]) * float64(bias[4+i])
			require.InDelta(t, gated, float64(out[model.Layer(0, model.OutWeight)][2*i+j]), 1e-6)
		}
	}
}
