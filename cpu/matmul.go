package cpu

// MatMul is x·wᵀ + bias for rows x (T, in) and a weight (out, in); bias (out) may be nil.
func MatMul(x, w, bias []float32, in int) []float32 {
	rows, outs := len(x)/in, len(w)/in
	out := make([]float32, rows*outs)
	for t := range rows {
		row := x[t*in : (t+1)*in]
		for o := range outs {
			var sum float64
			for i, v := range w[o*in : (o+1)*in] {
				sum += float64(v) * float64(row[i])
			}
			if bias != nil {
				sum += float64(bias[o])
			}
			out[t*outs+o] = float32(sum)
		}
	}
	return out
}

// Add adds y to x in place: the residual connection.
func Add(x, y []float32) {
	for i, v := range y {
		x[i] += v
	}
}
