package loop

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/unmask-lm/unmask/train/batch"
	"github.com/unmask-lm/unmask/train/noise"
)

// searchWidths are those of the intervals that the schedule search tries (paper, section 5.3).
var searchWidths = []float64{0.5, 0.6, 0.7, 0.8, 0.9}

// searchBatches bounds the batches of one search.
const searchBatches = 100

// candidates lists the intervals of the search that blocks of the model can be drawn from. For blocks
// of one token the paper compares the full interval with always masking.
func (e *Evaluator) candidates() []noise.Noiser {
	grid := noise.Grid(searchWidths)
	if e.c.BlockSize == 1 {
		grid = []noise.Interval{noise.Full, {Low: 1, High: 1}}
	}
	var out []noise.Noiser
	for _, interval := range grid {
		n := noise.Noiser{Masking: noise.Bernoulli, Interval: interval, Block: e.c.BlockSize, Mask: int32(e.mask)}
		if n.Validate() == nil {
			out = append(out, n)
		}
	}
	return out
}

// Search finds the interval under which the mean loss of a block varies least on held-out text.
func (e *Evaluator) Search(ctx context.Context, weights *tensors.Tensor, held *batch.Stream, limit int) (noise.Interval, float64, error) {
	best, least := noise.Full, math.Inf(1)
	for _, noiser := range e.candidates() {
		v, err := e.variance(ctx, weights, held, limit, noiser)
		if err != nil {
			return best, least, err
		}
		if v < least {
			best, least = noiser.Interval, v
		}
	}
	return best, least, nil
}

// Variance is that of the mean loss of a block when noise levels are drawn from the interval: the
// unbiased variance over the blocks of each batch, averaged over batches.
func (e *Evaluator) Variance(ctx context.Context, weights []float32, held *batch.Stream, limit int, interval noise.Interval) (float64, error) {
	n := noise.Noiser{Masking: noise.Bernoulli, Interval: interval, Block: e.c.BlockSize, Mask: int32(e.mask)}
	if err := n.Validate(); err != nil {
		return 0, err
	}
	return e.variance(ctx, tensors.FromFlatDataAndDimensions(weights, len(weights)), held, limit, n)
}

func (e *Evaluator) variance(ctx context.Context, weights *tensors.Tensor, held *batch.Stream, limit int, noiser noise.Noiser) (float64, error) {
	n := e.c.ModelLength
	batches := max(1, min(limit, held.Sequences())/e.size)
	batches = min(batches, searchBatches)
	x0, xt, weight := make([]int32, e.size*n), make([]int32, e.size*n), make([]float32, e.size*n)
	rng := rand.New(rand.NewPCG(0x5ea7c4, 0))
	var total float64
	for b := range batches {
		for i := range e.size {
			if err := held.Sequence((b*e.size+i)*held.Sequences()/(batches*e.size), x0[i*n:(i+1)*n]); err != nil {
				return 0, err
			}
		}
		noiser.Apply(rng, x0, xt, weight)
		losses, err := e.losses(ctx, weights, x0, xt, weight)
		if err != nil {
			return 0, err
		}
		total += blockVariance(losses, e.c.BlockSize)
	}
	return total / float64(batches), nil
}

// blockVariance is the unbiased variance of the means of blocks.
func blockVariance(losses []float32, block int) float64 {
	count := float64(len(losses) / block)
	var total, squares float64
	for at := 0; at < len(losses); at += block {
		m := sum(losses[at:at+block]) / float64(block)
		total += m
		squares += m * m
	}
	return (squares - total*total/count) / (count - 1)
}
