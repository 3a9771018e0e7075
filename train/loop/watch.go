package loop

import "math"

// smoothing is the weight of the past in the smoothed loss, an average over about fifty steps.
const smoothing = 0.98

// watch looks out for a loss that rises.
type watch struct {
	smooth, lowest float64
	n              int
}

// add tells whether the smoothed loss, once it has seen enough steps to be one, is so many times its
// lowest; 0 never is.
func (w *watch) add(loss, factor float64) (lowest float64, high bool) {
	w.n++
	if w.smooth += (loss - w.smooth) * max(1-smoothing, 1/float64(w.n)); w.n == 1 {
		w.lowest = math.Inf(1)
	}
	if float64(w.n)*(1-smoothing) < 1 {
		return w.lowest, false
	}
	w.lowest = min(w.lowest, w.smooth)
	return w.lowest, factor > 0 && w.smooth > factor*w.lowest
}
