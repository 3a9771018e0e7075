// Package fold turns a released or trained BD3-LM into the plain transformer that engines run.
package fold

import (
	"math"

	"github.com/unmask-lm/unmask/model"
)

// Fold removes the adaLN modulation. Time conditioning is off, so the condition is one constant
// vector c = silu(sigma_map(0)), and every shift, scale and gate is a constant that its neighbour
// absorbs: w' = w·(1+scale), b' = shift, Wout' = diag(gate)·Wout, W2' = diag(gate)·W2, b2' = gate·b2.
func Fold(c *model.HubConfig, w map[string][]float32) map[string][]float32 {
	d := c.HiddenDim
	f := folder{w: w, out: map[string][]float32{}, d: d}
	if c.Modulated() {
		level := make([]float64, model.HubTimestepDims) // of noise level 0: cosines of 0, then sines
		for i := range model.HubTimestepDims / 2 {
			level[i] = 1
		}
		f.cond = silu(f.linear(silu(f.linear(level, model.HubSigma0)), model.HubSigma2))
	}
	f.out[model.Embedding] = w[model.HubEmbedding]
	for i := range c.Blocks {
		mod := f.modulation(model.HubLayer(i, model.HubAdaLN), 6)
		from := func(name string) []float32 { return w[model.HubLayer(i, name)] }
		to := func(name string, values []float32) { f.out[model.Layer(i, name)] = values }
		to(model.Norm1Weight, scaled(from(model.HubNorm1), mod[1], 1, 1))
		to(model.Norm1Bias, narrow(mod[0]))
		to(model.QKVWeight, from(model.HubQKV))
		to(model.OutWeight, scaled(from(model.HubOut), mod[2], 0, d))
		to(model.Norm2Weight, scaled(from(model.HubNorm2), mod[4], 1, 1))
		to(model.Norm2Bias, narrow(mod[3]))
		to(model.UpWeight, from(model.HubUp+".weight"))
		to(model.UpBias, from(model.HubUp+".bias"))
		to(model.DownWeight, scaled(from(model.HubDown+".weight"), mod[5], 0, model.HubMLPRatio*d))
		to(model.DownBias, scaled(from(model.HubDown+".bias"), mod[5], 0, 1))
	}
	final := f.modulation(model.HubFinalAdaLN, 2)
	f.out[model.FinalNormWeight] = scaled(w[model.HubFinalNorm], final[1], 1, 1)
	f.out[model.FinalNormBias] = narrow(final[0])
	f.out[model.HeadWeight] = w[model.HubHead+".weight"]
	f.out[model.HeadBias] = w[model.HubHead+".bias"]
	return f.out
}

type folder struct {
	w, out map[string][]float32
	d      int
	cond   []float64 // nil without modulation
}

func (f *folder) linear(x []float64, name string) []float64 {
	weight, bias := f.w[name+".weight"], f.w[name+".bias"]
	out := make([]float64, len(bias))
	for o := range out {
		out[o] = float64(bias[o])
		for i, v := range x {
			out[o] += float64(weight[o*len(x)+i]) * v
		}
	}
	return out
}

// modulation returns k vectors (D): shift, scale and gate a sub-layer. Without modulation shifts and
// scales are 0 and gates 1.
func (f *folder) modulation(name string, k int) [][]float64 {
	out := make([][]float64, k)
	if f.cond == nil {
		for i := range out {
			out[i] = make([]float64, f.d)
			for j := range out[i] {
				if i%3 == 2 {
					out[i][j] = 1
				}
			}
		}
		return out
	}
	all := f.linear(f.cond, name)
	for i := range out {
		out[i] = all[i*f.d : (i+1)*f.d]
	}
	return out
}

func silu(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v / (1 + math.Exp(-v))
	}
	return out
}

// scaled multiplies row i of w, of the given width, by plus + by[i].
func scaled(w []float32, by []float64, plus float64, width int) []float32 {
	out := make([]float32, len(w))
	for i, v := range w {
		out[i] = float32(float64(v) * (plus + by[i/width]))
	}
	return out
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}
