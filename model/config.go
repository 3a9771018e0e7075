package model

import (
	"fmt"
	"math"

	"github.com/unmask-lm/unmask/model/strictjson"
)

// ModelType is the model_type of a pack's config.json: a BD3-LM whose constant adaLN modulation
// has been folded into its neighbours, which leaves a plain pre-LayerNorm transformer.
const ModelType = "unmask-bd3lm"

// Config is the architecture of a folded BD3-LM (Arriola et al., ICLR 2025, appendix C; the
// reference's models/dit.py). It is the config.json of a pack.
type Config struct {
	ModelType string  `json:"model_type"`
	Vocab     int     `json:"vocab_size"`   // V, the mask id included
	Hidden    int     `json:"hidden_dim"`   // D
	Layers    int     `json:"n_blocks"`     // transformer blocks
	Heads     int     `json:"n_heads"`      // H; D/H must be even, for rotary embeddings
	Inner     int     `json:"mlp_dim"`      // F
	Window    int     `json:"model_length"` // n
	Block     int     `json:"block_size"`   // L'
	Mask      int     `json:"mask_id"`      // id of the mask token
	NormEps   float64 `json:"norm_eps"`     // epsilon inside LayerNorm's square root
	RopeBase  float64 `json:"rope_base"`    // base of the rotary frequencies
}

// Limits that no model of this kind comes near; they keep every product of dimensions far from
// overflow when a hostile config.json is read.
const (
	maxVocab  = 1 << 22
	maxWidth  = 1 << 16
	maxLayers = 1 << 12
	maxWindow = 1 << 22
)

// ParseConfig reads and validates a config.json. name is used in errors.
func ParseConfig(name string, data []byte) (Config, error) {
	var c Config
	if err := strictjson.Unmarshal(data, &c); err != nil {
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// Validate reports the first field whose value no engine could run, by its name in config.json.
func (c *Config) Validate() error {
	if c.ModelType != ModelType {
		return fmt.Errorf("model_type is %q, expected %q", c.ModelType, ModelType)
	}
	for _, f := range []struct {
		name     string
		value    int
		min, max int
	}{
		{"vocab_size", c.Vocab, 2, maxVocab},
		{"hidden_dim", c.Hidden, 2, maxWidth},
		{"n_blocks", c.Layers, 1, maxLayers},
		{"n_heads", c.Heads, 1, maxWidth},
		{"mlp_dim", c.Inner, 1, maxWidth * 8},
		{"model_length", c.Window, 1, maxWindow},
		{"block_size", c.Block, 1, c.Window},
		{"mask_id", c.Mask, 0, c.Vocab - 1},
	} {
		if f.value < f.min || f.value > f.max {
			return fmt.Errorf("%s is %d, expected %d to %d", f.name, f.value, f.min, f.max)
		}
	}
	if c.Hidden%c.Heads != 0 || c.Hidden/c.Heads%2 != 0 {
		return fmt.Errorf("hidden_dim %d over n_heads %d is no even head width", c.Hidden, c.Heads)
	}
	if !(c.NormEps > 0 && c.NormEps < 1) {
		return fmt.Errorf("norm_eps is %v, expected a number between 0 and 1", c.NormEps)
	}
	if !(c.RopeBase > 1) || math.IsInf(c.RopeBase, 0) {
		return fmt.Errorf("rope_base is %v, expected a number above 1", c.RopeBase)
	}
	return nil
}

// HeadDim is the width of one attention head, D/H.
func (c *Config) HeadDim() int { return c.Hidden / c.Heads }

// Params counts the values of all tensors.
func (c *Config) Params() int {
	total := 0
	for _, s := range c.Tensors() {
		total += s.Size()
	}
	return total
}
