package loop

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"

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

// exactBlock is the largest block whose bound is enumerated (2^L'-1 passes); larger ones are sampled.
const exactBlock = 4

// sampledPasses is the number of Monte-Carlo passes for larger blocks.
const sampledPasses = 16

// Evaluator measures the bound on held-out sequences.
type Evaluator struct {
	c     *model.HubConfig
	o     *Options
	mask  int
	size  int // sequences a pass
	exec  *Exec
	bytes func(ids []int32) int64
}

// NewEvaluator compiles the evaluation pass. bytes tells how much text a sequence stands for.
func NewEvaluator(backend compute.Backend, o *Options, c *model.HubConfig, mask int, bytes func([]int32) int64) (*Evaluator, error) {
	e := &Evaluator{c: c, o: o, mask: mask, size: o.Batch, bytes: bytes}
	layout := network.NewLayout(c)
	var err error
	e.exec, err = NewExec(backend, func(weights, x0, xt, weight *Node) *Node {
		net := network.New(c, layout.Split(weights), c.ModelLength, 0, nil)
		if o.Objective == Autoregressive {
			return objective.Autoregressive(net, x0)
		}
		return objective.Diffusion(net, x0, xt, weight, c.BlockSize, mask)
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
	var total float64
	for b := range batches {
		for i := range e.size {
			seq := held.Sequence((b*e.size + i) * held.Sequences() / (batches * e.size))
			copy(x0[i*n:], seq)
			out.Bytes += e.bytes(seq)
		}
		for _, p := range e.passes(uint64(b), x0) {
			losses, err := e.losses(ctx, weights, x0, p.xt, p.weight)
			if err != nil {
				return out, err
			}
			total += mean(losses) * p.share
		}
	}
	out.Tokens = int64(batches * len(x0))
	out.NELBO = total / float64(batches)
	out.BitsByte = out.NELBO * float64(out.Tokens) / float64(out.Bytes) / math.Ln2
	return out, nil
}

// losses runs one pass and returns the weighted loss of each token.
func (e *Evaluator) losses(ctx context.Context, weights *tensors.Tensor, x0, xt []int32, weight []float32) ([]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out, err := e.exec.Call(weights, e.tensor(x0), e.tensor(xt), tensors.FromFlatDataAndDimensions(weight, e.size, e.c.ModelLength))
	if err != nil {
		return nil, err
	}
	return tensors.CopyFlatData[float32](out[0])
}

func mean(values []float32) float64 {
	var sum float64
	for _, v := range values {
		sum += float64(v)
	}
	return sum / float64(len(values))
}

func (e *Evaluator) tensor(ids []int32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(ids, e.size, e.c.ModelLength)
}

// pass is one doubled pass of the evaluation and its share of the result.
type pass struct {
	xt     []int32
	weight []float32
	share  float64
}

// passes lists the passes whose weighted sum is the bound: one a subset of the block where that is
// exact, seeded draws otherwise.
func (e *Evaluator) passes(seed uint64, x0 []int32) []pass {
	block := e.c.BlockSize
	if e.o.Objective == Autoregressive {
		return []pass{{x0, make([]float32, len(x0)), 1}}
	}
	var out []pass
	if block <= exactBlock {
		for subset := 1; subset < 1<<block; subset++ {
			p := pass{append([]int32(nil), x0...), make([]float32, len(x0)), 1}
			w := runtime.SubsetWeight(bits.OnesCount(uint(subset)), block)
			for i := range x0 {
				if subset>>(i%block)&1 == 1 {
					p.xt[i], p.weight[i] = int32(e.mask), float32(w)
				}
			}
			out = append(out, p)
		}
		return out
	}
	noiser := noise.Noiser{Masking: noise.Count, Interval: noise.Full, Block: block, Mask: int32(e.mask)}
	rng := rand.New(rand.NewPCG(0xe7a1, seed))
	for range sampledPasses {
		p := pass{make([]int32, len(x0)), make([]float32, len(x0)), 1. / sampledPasses}
		noiser.Apply(rng, x0, p.xt, p.weight)
		out = append(out, p)
	}
	return out
}
