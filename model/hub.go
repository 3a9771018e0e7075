package model

import "fmt"

// HubConfig is the config.json of a checkpoint in the layout of kuleshov-group/bd3lm-owt, which
// the trainer writes too: the model before folding, its adaLN modulation still separate. Fields
// absent from older uploads take the reference's defaults.
type HubConfig struct {
	ModelType        string `json:"model_type"`
	VocabSize        int    `json:"vocab_size"`
	HiddenDim        int    `json:"hidden_dim"`
	CondDim          int    `json:"cond_dim"`
	Blocks           int    `json:"n_blocks"`
	Heads            int    `json:"n_heads"`
	ModelLength      int    `json:"model_length"`
	BlockSize        int    `json:"block_size"`
	AdaLN            *bool  `json:"adaln,omitempty"`
	Causal           *bool  `json:"causal,omitempty"`
	CrossAttn        *bool  `json:"cross_attn,omitempty"`
	TimeConditioning *bool  `json:"time_conditioning,omitempty"`
}

// Constants of the reference implementation (models/dit.py) that its config does not carry.
const (
	HubMLPRatio     = 4
	HubNormEps      = 1e-5
	HubRopeBase     = 10000
	HubTimestepDims = 256 // width of the sinusoidal embedding of the noise level
	HubModelType    = "bd3lm"
)

// Modulated reports whether the checkpoint has adaLN parameters; absent means yes.
func (c *HubConfig) Modulated() bool { return c.AdaLN == nil || *c.AdaLN }

// Folded is the Config of the same model once its modulation is folded away.
func (c *HubConfig) Folded(mask int) Config {
	return Config{
		ModelType: ModelType,
		Vocab:     c.VocabSize,
		Hidden:    c.HiddenDim,
		Layers:    c.Blocks,
		Heads:     c.Heads,
		Inner:     HubMLPRatio * c.HiddenDim,
		Window:    c.ModelLength,
		Block:     c.BlockSize,
		Mask:      mask,
		NormEps:   HubNormEps,
		RopeBase:  HubRopeBase,
	}
}

// Validate reports what keeps the checkpoint from being a foldable BD3-LM.
func (c *HubConfig) Validate() error {
	on := func(b *bool) bool { return b != nil && *b }
	switch {
	case c.ModelType != HubModelType:
		return fmt.Errorf("model_type is %q, expected %q", c.ModelType, HubModelType)
	case on(c.Causal):
		return fmt.Errorf("causal is true: an autoregressive baseline, not a block-diffusion model")
	case on(c.TimeConditioning):
		return fmt.Errorf("time_conditioning is true: the modulation then depends on the noise level and cannot be folded")
	case c.CrossAttn != nil && !*c.CrossAttn && c.BlockSize != c.ModelLength:
		return fmt.Errorf("cross_attn is false with block_size %d: a full-sequence model has one block of model_length %d", c.BlockSize, c.ModelLength)
	case c.Modulated() && (c.CondDim < 1 || c.CondDim > maxWidth):
		return fmt.Errorf("cond_dim is %d, expected 1 to %d", c.CondDim, maxWidth)
	}
	folded := c.Folded(0)
	return folded.Validate()
}

// Tensors of a Hub checkpoint; those of one block are suffixes of HubLayer(i, ·).
const (
	HubEmbedding  = "backbone.vocab_embed.embedding"
	HubSigma0     = "backbone.sigma_map.mlp.0"
	HubSigma2     = "backbone.sigma_map.mlp.2"
	HubFinalNorm  = "backbone.output_layer.norm_final.weight"
	HubHead       = "backbone.output_layer.linear"
	HubFinalAdaLN = "backbone.output_layer.adaLN_modulation"

	HubNorm1 = "norm1.weight"
	HubNorm2 = "norm2.weight"
	HubQKV   = "attn_qkv.weight"
	HubOut   = "attn_out.weight"
	HubUp    = "mlp.0"
	HubDown  = "mlp.2"
	HubAdaLN = "adaLN_modulation"
)

// HubLayer is the full name of a tensor of transformer block i.
func HubLayer(i int, suffix string) string { return fmt.Sprintf("backbone.blocks.%d.%s", i, suffix) }

// HubBuffers are the tensors that a Hub checkpoint may hold beside its parameters; nothing reads them.
func HubBuffers() []string {
	return []string{"sampling_eps_min", "sampling_eps_max", "backbone.rotary_emb.inv_freq"}
}

// Tensors lists every parameter, in the order of the reference's model.parameters().
func (c *HubConfig) Tensors() []TensorSpec {
	d, f, v, cond := c.HiddenDim, HubMLPRatio*c.HiddenDim, c.VocabSize, c.CondDim
	specs := []TensorSpec{{HubEmbedding, []int{v, d}}}
	if c.Modulated() {
		specs = append(specs, linear(HubSigma0, cond, HubTimestepDims)...)
		specs = append(specs, linear(HubSigma2, cond, cond)...)
	}
	for i := range c.Blocks {
		specs = append(
			specs,
			TensorSpec{HubLayer(i, HubNorm1), []int{d}},
			TensorSpec{HubLayer(i, HubQKV), []int{3 * d, d}},
			TensorSpec{HubLayer(i, HubOut), []int{d, d}},
			TensorSpec{HubLayer(i, HubNorm2), []int{d}},
		)
		specs = append(specs, linear(HubLayer(i, HubUp), f, d)...)
		specs = append(specs, linear(HubLayer(i, HubDown), d, f)...)
		if c.Modulated() {
			specs = append(specs, linear(HubLayer(i, HubAdaLN), 6*d, cond)...)
		}
	}
	specs = append(specs, TensorSpec{HubFinalNorm, []int{d}})
	specs = append(specs, linear(HubHead, v, d)...)
	if c.Modulated() {
		specs = append(specs, linear(HubFinalAdaLN, 2*d, cond)...)
	}
	return specs
}

func linear(name string, out, in int) []TensorSpec {
	return []TensorSpec{{name + ".weight", []int{out, in}}, {name + ".bias", []int{out}}}
}
