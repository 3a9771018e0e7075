package model_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model"
)

var sound = model.Config{
	ModelType: model.ModelType, Vocab: 37, Hidden: 32, Layers: 2, Heads: 4, Inner: 128,
	Window: 16, Block: 4, Mask: 36, NormEps: 1e-5, RopeBase: 10000,
}

func TestConfigRefuses(t *testing.T) {
	require.NoError(t, sound.Validate())
	for want, change := range map[string]func(c *model.Config){
		"model_type":   func(c *model.Config) { c.ModelType = "gpt2" },
		"vocab_size":   func(c *model.Config) { c.Vocab = 1 },
		"hidden_dim":   func(c *model.Config) { c.Hidden = 1 << 30 },
		"n_blocks":     func(c *model.Config) { c.Layers = 0 },
		"n_heads":      func(c *model.Config) { c.Heads = -1 },
		"mlp_dim":      func(c *model.Config) { c.Inner = 0 },
		"model_length": func(c *model.Config) { c.Window = 0 },
		"block_size":   func(c *model.Config) { c.Block = 17 },
		"mask_id":      func(c *model.Config) { c.Mask = 37 },
		"head width":   func(c *model.Config) { c.Heads = 32 },
		"norm_eps":     func(c *model.Config) { c.NormEps = 0 },
		"rope_base":    func(c *model.Config) { c.RopeBase = 1 },
	} {
		c := sound
		change(&c)
		require.ErrorContains(t, c.Validate(), want)
	}
}

func FuzzParseConfig(f *testing.F) {
	text, err := json.Marshal(sound)
	require.NoError(f, err)
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := model.ParseConfig("config.json", data)
		if err != nil {
			require.ErrorContains(t, err, "config.json")
			return
		}
		require.NoError(t, c.Validate())
		require.Equal(t, 0, c.HeadDim()%2)
	})
}

// The released OWT model: 130 parameters, 169,627,218 values (BD3-LM's own count of its file).
func TestReleasedShape(t *testing.T) {
	c := model.HubConfig{
		ModelType: model.HubModelType, VocabSize: 50258, HiddenDim: 768, CondDim: 128, Blocks: 12, Heads: 12, ModelLength: 1024, BlockSize: 4,
	}
	require.NoError(t, c.Validate())
	total := 0
	for _, s := range c.Tensors() {
		total += s.Size()
	}
	require.Len(t, c.Tensors(), 130)
	require.Equal(t, 169_627_218, total)
	folded := c.Folded(50257)
	require.NoError(t, folded.Validate())
	require.InDelta(t, 162.3e6, folded.Params(), 0.1e6)
	require.Equal(t, 64, folded.HeadDim())
}

func TestHubConfigRefuses(t *testing.T) {
	yes, no := true, false
	base := model.HubConfig{ModelType: "bd3lm", VocabSize: 37, HiddenDim: 32, CondDim: 8, Blocks: 2, Heads: 4, ModelLength: 16, BlockSize: 4}
	require.NoError(t, base.Validate())
	for want, change := range map[string]func(c *model.HubConfig){
		"model_type":        func(c *model.HubConfig) { c.ModelType = "llama" },
		"causal":            func(c *model.HubConfig) { c.Causal = &yes },
		"time_conditioning": func(c *model.HubConfig) { c.TimeConditioning = &yes },
		"cross_attn":        func(c *model.HubConfig) { c.CrossAttn = &no },
		"cond_dim":          func(c *model.HubConfig) { c.CondDim = 0 },
		"block_size":        func(c *model.HubConfig) { c.BlockSize = 0 },
	} {
		c := base
		change(&c)
		require.ErrorContains(t, c.Validate(), want)
	}
	whole := base
	whole.CrossAttn, whole.BlockSize = &no, 16
	require.NoError(t, whole.Validate())
	plain := base
	plain.AdaLN, plain.CondDim = &no, 0
	require.NoError(t, plain.Validate())
	require.Len(t, plain.Tensors(), 1+8*2+3)
}
