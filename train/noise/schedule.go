// Package noise is the forward process of masked diffusion, in plain Go: schedules, stratified noise
// levels, masking with clipped intervals, and the weights of the loss. BD3-LM paper, sections 3 and 5;
// reference diffusion.py and noise_schedule.py.
package noise

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Interval is the range [Low, High] that noise levels are drawn from.
type Interval struct{ Low, High float64 }

// Full is the interval of likelihood evaluation, and the default of training.
var Full = Interval{1e-3, 1}

// Validate reports whether the interval makes sense.
func (v Interval) Validate() error {
	if !(v.Low > 0 && v.Low <= v.High && v.High <= 1) {
		return fmt.Errorf("interval [%v, %v]: expected 0 < low ≤ high ≤ 1", v.Low, v.High)
	}
	return nil
}

// Levels draws one noise level t a block, stratified over all blocks: with N blocks, block i gets
// u = (rand/N + i/N) mod 1 and t = low + (high-low)·u. The mask probability of the log-linear
// schedule is t itself.
func (v Interval) Levels(rng *rand.Rand, out []float64) {
	n := float64(len(out))
	for i := range out {
		_, u := math.Modf(rng.Float64()/n + float64(i)/n)
		out[i] = v.Low + (v.High-v.Low)*u
	}
}

// Weight is the weight of the loss at noise level t: 1/t, or 1 for all where only high noise is
// trained on (the reference's rule for low > 0.5).
func (v Interval) Weight(t float64) float64 {
	if v.Low > 0.5 {
		return 1
	}
	return 1 / t
}
