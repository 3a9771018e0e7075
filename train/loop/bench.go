package loop

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/train/network"
)

// Steps of a benchmark: some to compile and warm up, and those that count.
const (
	benchWarmup = 3
	benchSteps  = 10
)

// Bench times steps, and a plain matmul on the same backend, and prints one line of JSON.
func (r *Run) Bench(ctx context.Context, backend compute.Backend, w io.Writer) (err error) {
	s := r.State
	r.step, err = newStepper(backend, &r.Options, &s.Config, s.Trainer.Mask, [4][]float32{s.Weights, s.EMA, s.M, s.V})
	if err != nil {
		return err
	}
	var began time.Time
	for step := range benchWarmup + benchSteps {
		if step == benchWarmup {
			began = time.Now()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.Train.Batch(uint64(step), r.step.x0); err != nil {
			return err
		}
		if _, _, err := r.step.run(step); err != nil {
			return err
		}
	}
	per := time.Since(began).Seconds() / benchSteps
	peak, err := matmulRate(backend)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(map[string]float64{
		"ms_a_step": 1000 * per, "tokens_per_second": float64(len(r.step.x0)) / per, "gflops": r.flops() / per / 1e9,
		"matmul_gflops": peak / 1e9, "fraction_of_matmul": r.flops() / per / peak / float64(r.Devices),
		"peak_rss_mb": float64(peakMemory()) / 1e6,
	})
}

// matmulRate is the best of a few plain float32 matmuls of 2048³, in FLOP/s.
func matmulRate(backend compute.Backend) (float64, error) {
	const n, times = 2048, 8
	exec, err := NewExec(backend, func(x *Node) *Node {
		y := x
		for range times {
			y = DotGeneral(y, []int{1}, nil, x, []int{0}, nil)
		}
		return ReduceAllSum(y)
	})
	if err != nil {
		return 0, err
	}
	x := tensors.FromFlatDataAndDimensions(make([]float32, n*n), n, n)
	best := time.Duration(1 << 62)
	for range 3 {
		began := time.Now()
		out, err := exec.Call(x)
		if err != nil {
			return 0, err
		}
		_ = out[0].Value() // waits
		best = min(best, time.Since(began))
	}
	return times * 2 * n * n * n / best.Seconds(), nil
}

// Memory estimates in one line what training needs: the state, and what a round keeps for its backward
// pass.
func Memory(o *Options, c *model.HubConfig) string {
	const float = 4
	params := float64(network.NewLayout(c).Size)
	tokens := float64(o.Batch / o.Accumulate / o.Devices * c.ModelLength)
	streams, columns := 2., float64(c.ModelLength+c.BlockSize)
	if o.Objective == Autoregressive || o.Objective == MDLM {
		streams, columns = 1, float64(c.ModelLength)
	}
	layer := 16*float64(c.HiddenDim) + float64(c.Heads)*columns // a row's activations and attention weights
	layers := float64(c.Blocks)
	if o.Remat {
		layers = 1
	}
	kept := tokens * (streams*layers*layer + 2*float64(c.VocabSize))
	return fmt.Sprintf("memory, estimated: %.0f MB of weights, average, moments and gradient; %.0f MB a round", 6*params*float/1e6, kept*float/1e6)
}
