package model

import "github.com/unmask-lm/unmask/model/tensor"

// NewPack assembles a pack in memory from values that need no verification, such as those of a model
// in training. values gives each tensor of c; matrices are stored as f16 if quantization is "f16".
func NewPack(c Config, quantization string, values func(spec TensorSpec) []float32) *Pack {
	p := &Pack{Config: c, tensors: map[string]Tensor{}}
	p.Manifest = Manifest{Quantization: quantization, Block: c.Block, Mask: c.Mask, BOS: NoToken, EOS: NoToken}
	for _, spec := range c.Tensors() {
		dtype := p.dtypeOf(spec)
		data := tensor.Encode(dtype, make([]byte, 0, spec.Size()*dtype.Size()), values(spec))
		p.tensors[spec.Name] = Tensor{TensorSpec: spec, DType: dtype, Parts: [][]byte{data}}
	}
	return p
}
