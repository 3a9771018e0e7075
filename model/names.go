package model

import "fmt"

// Names of the tensors of a pack. Those of one transformer block are suffixes of Layer(i, ·).
const (
	Embedding       = "embedding.weight"  // (V, D)
	FinalNormWeight = "final_norm.weight" // (D)
	FinalNormBias   = "final_norm.bias"   // (D)
	HeadWeight      = "head.weight"       // (V, D)
	HeadBias        = "head.bias"         // (V)

	Norm1Weight = "norm1.weight" // (D)
	Norm1Bias   = "norm1.bias"   // (D)
	QKVWeight   = "qkv.weight"   // (3D, D): all of Q, then K, then V; heads contiguous inside each
	OutWeight   = "out.weight"   // (D, D)
	Norm2Weight = "norm2.weight" // (D)
	Norm2Bias   = "norm2.bias"   // (D)
	UpWeight    = "up.weight"    // (F, D)
	UpBias      = "up.bias"      // (F)
	DownWeight  = "down.weight"  // (D, F)
	DownBias    = "down.bias"    // (D)
)

// Layer is the full name of a tensor of transformer block i.
func Layer(i int, suffix string) string { return fmt.Sprintf("blocks.%d.%s", i, suffix) }

// TensorSpec is the name and shape of one tensor that a pack must hold.
type TensorSpec struct {
	Name  string
	Shape []int
}

// Matrix reports whether the tensor is a weight matrix, which quantisation applies to; vectors
// (norms and biases) always stay float32.
func (s TensorSpec) Matrix() bool { return len(s.Shape) == 2 }

// Size is the number of values.
func (s TensorSpec) Size() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// Tensors lists every tensor of the model, in the order in which a forward pass reads them. A pack
// holds exactly these.
func (c *Config) Tensors() []TensorSpec {
	d, f, v := c.Hidden, c.Inner, c.Vocab
	specs := []TensorSpec{{Embedding, []int{v, d}}}
	for i := range c.Layers {
		specs = append(
			specs,
			TensorSpec{Layer(i, Norm1Weight), []int{d}},
			TensorSpec{Layer(i, Norm1Bias), []int{d}},
			TensorSpec{Layer(i, QKVWeight), []int{3 * d, d}},
			TensorSpec{Layer(i, OutWeight), []int{d, d}},
			TensorSpec{Layer(i, Norm2Weight), []int{d}},
			TensorSpec{Layer(i, Norm2Bias), []int{d}},
			TensorSpec{Layer(i, UpWeight), []int{f, d}},
			TensorSpec{Layer(i, UpBias), []int{f}},
			TensorSpec{Layer(i, DownWeight), []int{d, f}},
			TensorSpec{Layer(i, DownBias), []int{d}},
		)
	}
	return append(
		specs,
		TensorSpec{FinalNormWeight, []int{d}},
		TensorSpec{FinalNormBias, []int{d}},
		TensorSpec{HeadWeight, []int{v, d}},
		TensorSpec{HeadBias, []int{v}},
	)
}
