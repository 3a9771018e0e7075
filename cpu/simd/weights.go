package simd

import (
	"bytes"

	"github.com/unmask-lm/unmask/cpu/simd/kernels"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/tensor"
)

// weight is a matrix as the pack stores it, in parts of whole rows.
type weight struct {
	parts []kernels.Matrix
	data  [][]byte
	half  bool
	outs  int
	in    int
}

// block is the weights of one transformer block.
type block struct {
	norm1, shift1, norm2, shift2 []float32
	qkv, out, up, down           weight
	upBias, downBias             []float32
}

// weights are a pack's, its matrices in place and its vectors decoded.
type weights struct {
	embedding, head  weight
	blocks           []block
	norm, shift      []float32
	headBias         []float32
	turns            []float32
	embeddingDecoder tensor.DType
}

func newWeights(p *model.Pack) weights {
	vector := func(name string) []float32 { return p.Tensor(name).Float32s() }
	w := weights{
		embedding: newWeight(p.Tensor(model.Embedding)), head: newWeight(p.Tensor(model.HeadWeight)),
		norm: vector(model.FinalNormWeight), shift: vector(model.FinalNormBias), headBias: vector(model.HeadBias),
		embeddingDecoder: p.Tensor(model.Embedding).DType,
	}
	for i := range p.Config.Layers {
		name := func(suffix string) string { return model.Layer(i, suffix) }
		matrix := func(suffix string) weight { return newWeight(p.Tensor(name(suffix))) }
		w.blocks = append(w.blocks, block{
			norm1: vector(name(model.Norm1Weight)), shift1: vector(name(model.Norm1Bias)),
			norm2: vector(name(model.Norm2Weight)), shift2: vector(name(model.Norm2Bias)),
			qkv: matrix(model.QKVWeight), out: matrix(model.OutWeight), up: matrix(model.UpWeight), down: matrix(model.DownWeight),
			upBias: vector(name(model.UpBias)), downBias: vector(name(model.DownBias)),
		})
	}
	return w
}

// newWeight refers to the data of a tensor. A part that does not lie at a multiple of its values' size,
// which a safetensors file permits, is copied to one that does.
func newWeight(t model.Tensor) weight {
	w := weight{half: t.DType == tensor.F16, outs: t.Shape[0], in: t.Shape[1]}
	for _, data := range t.Parts {
		if !aligned(data, t.DType.Size()) {
			data = bytes.Clone(data)
		}
		w.data = append(w.data, data)
		w.parts = append(w.parts, kernels.NewMatrix(data, w.half, w.in))
	}
	return w
}

// row decodes one row.
func (w *weight) row(i int, dtype tensor.DType, out []float32) {
	for p := range w.parts {
		if n := w.parts[p].Outs; i >= n {
			i -= n
			continue
		}
		size := dtype.Size() * w.in
		tensor.Decode(dtype, w.data[p][i*size:(i+1)*size], out)
		return
	}
}
