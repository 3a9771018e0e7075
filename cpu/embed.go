package cpu

// Embed looks up ids in the table (V, D) and returns (T, D).
func Embed(table []float32, ids []int, d int) []float32 {
	out := make([]float32, 0, len(ids)*d)
	for _, id := range ids {
		out = append(out, table[id*d:(id+1)*d]...)
	}
	return out
}
