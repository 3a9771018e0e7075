package cpu

import "math"

// LayerNorm normalises each row of x (T, D) to mean 0 and variance 1, then scales and shifts it.
func LayerNorm(x, weight, bias []float32, eps float64) []float32 {
	d := len(weight)
	out := make([]float32, len(x))
	for at := 0; at < len(x); at += d {
		row := x[at : at+d]
		var sum, squares float64
		for _, v := range row {
			sum += float64(v)
		}
		mean := sum / float64(d)
		for _, v := range row {
			squares += (float64(v) - mean) * (float64(v) - mean)
		}
		scale := 1 / math.Sqrt(squares/float64(d)+eps)
		for i, v := range row {
			out[at+i] = float32((float64(v)-mean)*scale)*weight[i] + bias[i]
		}
	}
	return out
}
