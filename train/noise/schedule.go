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
// u = (rand/N + i/N) mod 1 and t = low + (high-low)·u.
func (v Interval) Levels(rng *rand.Rand, out []float64) {
	n := float64(len(out))
	for i := range out {
		_, u := math.Modf(rng.Float64()/n + float64(i)/n)
		out[i] = v.Low + (v.High-v.Low)*u
	}
}

// Schedule turns a noise level t into the probability 1-α_t that a token is masked.
type Schedule string

// Schedules (reference noise_schedule.py). Likelihoods are those of Linear.
const (
	Linear      Schedule = "linear" // t: the paper's
	Square      Schedule = "square" // t²
	SquareRoot  Schedule = "sqrt"   // √t
	Logarithmic Schedule = "log"    // log₂(1+t)
	Cosine      Schedule = "cosine" // 1-(1-ε)·cos(πt/2)
)

// Schedules lists all of them.
var Schedules = []Schedule{Linear, Square, SquareRoot, Logarithmic, Cosine}

const cosineEps = 1e-3

// Masked is the probability that a token is masked at level t.
func (s Schedule) Masked(t float64) float64 {
	switch s {
	case Square:
		return t * t
	case SquareRoot:
		return math.Sqrt(t)
	case Logarithmic:
		return math.Log1p(t) / math.Ln2
	case Cosine:
		return 1 - (1-cosineEps)*math.Cos(math.Pi*t/2)
	}
	return t
}

// Weight is the loss's weight at level t, -α'_t/(1-α_t).
func (s Schedule) Weight(t float64) float64 {
	switch s {
	case Square:
		return 2 / t
	case SquareRoot:
		return 1 / (2 * t)
	case Logarithmic:
		return 1 / ((1 + t) * math.Log1p(t))
	case Cosine:
		return (1 - cosineEps) * math.Sin(math.Pi*t/2) * math.Pi / 2 / s.Masked(t)
	}
	return 1 / t
}
