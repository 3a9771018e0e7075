package simd

import (
	"math"

	"github.com/unmask-lm/unmask/cpu/simd/kernels"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// draw draws a token from a padded row of logits with the uniform u, by inverting the cumulative
// distribution in the order of ids; forced is the token to take instead, or -1. It overwrites the
// mask's logit, which has no probability (SUBS), and the padding. Source: cpu/draw.go.
func (e *Engine) draw(logits []float32, u float32, o *draw.Options, forced int) draw.Candidate {
	logits[e.c.Mask] = kernels.Nowhere
	for i := e.c.Vocab; i < len(logits); i++ {
		logits[i] = kernels.Nowhere
	}
	s := &e.statistics
	kernels.Measure(logits, s)
	token := forced
	if token < 0 {
		token = int(s.Best)
		if o.Temperature != 0 {
			token = e.choose(logits, u, o)
		}
	}
	total := math.Log(float64(s.Total))
	return draw.Candidate{Token: token, LogProb: float64(logits[token]) - float64(s.Top) - total, Entropy: total - float64(s.Entropy)}
}

func (e *Engine) choose(logits []float32, u float32, o *draw.Options) int {
	top := e.statistics.Top
	kernels.Weigh(logits, top, 1/o.Temperature, e.weights)
	cut := lowest
	if o.TopK > 0 && o.TopK < e.c.Vocab-1 {
		cut = bisect(func(cut float32) bool { return kernels.Above(logits, nil, cut) >= float32(o.TopK) })
	}
	if o.TopP < 1 {
		mass := o.TopP * kernels.Above(logits, e.weights, cut)
		over := bisect(func(at float32) bool { return kernels.Above(logits, e.weights, max(at, cut)) > mass })
		cut = min(max(next(over), cut), top)
	}
	var total float64
	for _, run := range e.runs(logits, cut) {
		total += run
	}
	return e.invert(logits, cut, float64(u)*total)
}

// run is the number of tokens whose weights are added up before they are looked at one by one.
const run = 256

// runs sums the weights of tokens from cut on, for each run of tokens.
func (e *Engine) runs(logits []float32, cut float32) []float64 {
	out := e.sums[:0]
	for at := 0; at < len(logits); at += run {
		end := min(at+run, len(logits))
		out = append(out, float64(kernels.Above(logits[at:end], e.weights[at:end], cut)))
	}
	e.sums = out
	return out
}

// invert is the first token from cut on up to which, itself included, the weights are more than target.
func (e *Engine) invert(logits []float32, cut float32, target float64) int {
	var before float64
	i := 0
	for i < len(e.sums)-1 && before+e.sums[i] <= target {
		before += e.sums[i]
		i++
	}
	last := int(e.statistics.Best)
	for v := i * run; v < min((i+1)*run, e.c.Vocab); v++ {
		if logits[v] >= cut && v != e.c.Mask {
			last = v
			if before += float64(e.weights[v]); before > target {
				break
			}
		}
	}
	return last
}

const lowest = float32(kernels.Nowhere) / 2

// bisect is the largest finite float for which within holds, given that it holds below and fails above
// it; if it holds nowhere, the lowest float.
func bisect(within func(cut float32) bool) float32 {
	var low uint32
	for bit := uint32(1) << 31; bit > 0; bit >>= 1 {
		if at := unordered(low | bit); !math.IsNaN(float64(at)) && within(at) {
			low |= bit
		}
	}
	return unordered(low)
}

// next is the next larger float.
func next(f float32) float32 { return math.Nextafter32(f, float32(math.Inf(1))) }

// unordered maps an integer to a float so that both have the same order.
func unordered(u uint32) float32 {
	if u>>31 == 1 {
		return math.Float32frombits(u &^ (1 << 31))
	}
	return math.Float32frombits(^u)
}
