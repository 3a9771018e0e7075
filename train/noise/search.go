package noise

import "math"

// Grid lists the intervals among which the schedule search chooses: the full one, and for each width
// all starts in steps of 0.05 (paper, section 5.3). Widths 0.5 to 0.9 give 36.
func Grid(widths []float64) []Interval {
	out := []Interval{Full}
	const step = 20 // starts a unit
	for _, w := range widths {
		for i := 0; i <= int(math.Round((1-w)*step)); i++ {
			low := float64(i) / step
			out = append(out, Interval{max(low, Full.Low), math.Round((low+w)*1e6) / 1e6})
		}
	}
	return out
}

// Variance is that of a block's mean loss under the interval if every token costs 1 nat: the part that
// noise alone contributes, (ln(high/low)/(high-low) - 1)/L'.
func (v Interval) Variance(block int) float64 {
	return (math.Log(v.High/v.Low)/(v.High-v.Low) - 1) / float64(block)
}
