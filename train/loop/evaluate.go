package loop

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/train/batch"
	"github.com/unmask-lm/unmask/train/checkpoint"
	"github.com/unmask-lm/unmask/train/network"
	"github.com/unmask-lm/unmask/train/noise"
	"github.com/unmask-lm/unmask/train/objective"
)

// Evaluator measures the bound on held-out sequences.
type Evaluator struct {
	c     *model.HubConfig
	o     *Options
	mask  int
	size  int // sequences a pass
	exec  *Exec
	bytes func(ids []int32) int64

	// Exact is the largest block whose bound is enumerated, in 2^L'-1 passes. Larger ones are sampled
	// in Draws passes.
	Exact, Draws int
}

// NewEvaluator compiles the evaluation pass. bytes tells how much text a sequence stands for.
func NewEvaluator(backend compute.Backend, o *Options, c *model.HubConfig, mask int, bytes func([]int32) int64) (*Evaluator, error) {
	e := &Evaluator{c: c, o: o, mask: mask, size: o.Batch / o.Accumulate, bytes: bytes, Exact: 4, Draws: 16}
	layout := network.NewLayout(c)
	var err error
	e.exec, err = NewExec(backend, func(weights, x0, xt, rows, weight *Node) *Node {
		net := network.New(c, layout.Split(weights), c.ModelLength, network.Options{BF16: o.BF16}, 0, nil)
		if o.Objective == Autoregressive {
			return objective.Autoregressive(net, x0)
		}
		return objective.Diffusion(net, x0, xt, rows, weight, c.BlockSize, mask)
	})
	return e, err
}

// Run measures the weights (flat) on up to limit sequences spread evenly over the stream, in whole
// batches but at least one, repeating sequences where the stream has fewer.
func (e *Evaluator) Run(ctx context.Context, weights *tensors.Tensor, held *batch.Stream, limit int) (checkpoint.HeldOut, error) {
	var out checkpoint.HeldOut
	n := e.c.ModelLength
	batches := max(1, min(limit, held.Sequences())/e.size)
	x0 := make([]int32, e.size*n)
	var draws []float64 // estimates of the bound, each over all batches
	for b := range batches {
		for i := range e.size {
			seq := x0[i*n : (i+1)*n]
			if err := held.Sequence((b*e.size+i)*held.Sequences()/(batches*e.size), seq); err != nil {
				return out, err
			}
			out.Bytes += e.bytes(seq)
		}
		passes := e.passes(uint64(b), x0)
		draws = slices.Grow(draws, len(passes))[:len(passes)]
		for i, p := range passes {
			losses, err := e.losses(ctx, weights, x0, p.xt, p.weight)
			if err != nil {
				return out, err
			}
			draws[i] += sum(losses) / float64(batches*e.predicted())
		}
	}
	out.Tokens = int64(batches * len(x0))
	if e.exact() {
		out.NELBO = sum(draws)
	} else {
		out.NELBO, out.StdErr = meanAndError(draws)
	}
	out.BitsByte = out.NELBO * float64(out.Tokens) / float64(out.Bytes) / math.Ln2
	return out, nil
}

// predicted is the number of tokens of a batch that the model predicts.
func (e *Evaluator) predicted() int {
	if e.o.Objective == Autoregressive || e.o.IgnoreBOS {
		return e.size * (e.c.ModelLength - 1)
	}
	return e.size * e.c.ModelLength
}

// exact tells whether passes lists terms of a sum rather than draws.
func (e *Evaluator) exact() bool {
	return e.o.Objective == Autoregressive || e.c.BlockSize <= e.Exact
}

// losses runs one pass and returns the weighted loss of each token that is predicted.
func (e *Evaluator) losses(ctx context.Context, weights *tensors.Tensor, x0, xt []int32, weight []float32) ([]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows, packed := noise.Rows(weight, func(count int) int { return rowsFor(count, len(weight)) })
	out, err := e.exec.Call(weights, e.tensor(x0), e.tensor(xt), rows, packed)
	if err != nil {
		return nil, err
	}
	got, err := tensors.CopyFlatData[float32](out[0])
	if err != nil || e.o.Objective == Autoregressive {
		return got, err
	}
	losses := make([]float32, len(weight))
	for i, row := range rows {
		losses[row] += got[i]
	}
	return losses, nil
}

func sum[T float32 | float64](values []T) (sum float64) {
	for _, v := range values {
		sum += float64(v)
	}
	return sum
}

// meanAndError is the mean of draws and the standard error of it.
func meanAndError(draws []float64) (mean, stdErr float64) {
	n := float64(len(draws))
	mean = sum(draws) / n
	var squares float64
	for _, d := range draws {
		squares += (d - mean) * (d - mean)
	}
	return mean, math.Sqrt(squares / max(1, n-1) / n)
}

func (e *Evaluator) tensor(ids []int32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(ids, e.size, e.c.ModelLength)
}

// pass is one doubled pass of the evaluation.
type pass struct {
	xt     []int32
	weight []float32
}

// passes lists the passes whose sum is the bound, one a subset of the block, where that is exact;
// otherwise those of which each estimates it.
func (e *Evaluator) passes(seed uint64, x0 []int32) []pass {
	block := e.c.BlockSize
	if e.o.Objective == Autoregressive {
		return []pass{{x0, make([]float32, len(x0))}}
	}
	var out []pass
	first := func(i int) bool { return e.o.IgnoreBOS && i%e.c.ModelLength == 0 }
	if e.exact() {
		for subset := 1; subset < 1<<block; subset++ {
			p := pass{append([]int32(nil), x0...), make([]float32, len(x0))}
			w := runtime.SubsetWeight(bits.OnesCount(uint(subset)), block)
			for i := range x0 {
				if subset>>(i%block)&1 == 1 && !first(i) {
					p.xt[i], p.weight[i] = int32(e.mask), float32(w)
				}
			}
			out = append(out, p)
		}
		return out
	}
	noiser := noise.Noiser{Masking: noise.Count, Interval: noise.Full, Block: block, Mask: int32(e.mask)}
	if e.o.IgnoreBOS {
		noiser.IgnoreFirst = e.c.ModelLength
	}
	rng := rand.New(rand.NewPCG(0xe7a1, seed))
	for range e.Draws {
		p := pass{make([]int32, len(x0)), make([]float32, len(x0))}
		noiser.Apply(rng, x0, p.xt, p.weight)
		out = append(out, p)
	}
	return out
}
