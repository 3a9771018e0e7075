package loop

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/train/batch"
	"github.com/unmask-lm/unmask/train/checkpoint"
	"github.com/unmask-lm/unmask/train/network"
	"github.com/unmask-lm/unmask/train/noise"
)

// Run is one training run.
type Run struct {
	Options
	State *checkpoint.State // where it starts; advanced as it goes
	Train *batch.Stream
	Held  *batch.Stream
	Bytes func(ids []int32) int64 // text that a sequence stands for
	Log   io.Writer

	step  *stepper
	eval  *Evaluator
	began time.Time
	first int
}

// Start gives a State its initial weights.
func Start(s *checkpoint.State, seed uint64) {
	layout := network.NewLayout(&s.Config)
	s.Specs, s.Weights = layout.Specs, layout.Init(seed)
	s.EMA = append([]float32(nil), s.Weights...)
	s.M, s.V = make([]float32, layout.Size), make([]float32, layout.Size)
}

// Do trains until Options.Steps. When ctx ends it saves and returns ctx's error.
func (r *Run) Do(ctx context.Context, backend compute.Backend) error {
	s := r.State
	var err error
	r.step, err = newStepper(backend, &r.Options, &s.Config, s.Trainer.Mask, [4][]float32{s.Weights, s.EMA, s.M, s.V})
	if err != nil {
		return err
	}
	if r.eval, err = NewEvaluator(backend, &r.Options, &s.Config, s.Trainer.Mask, r.Bytes); err != nil {
		return err
	}
	if s.Trainer.Interval != nil {
		r.step.noiser.Interval = noise.Interval{Low: s.Trainer.Interval[0], High: s.Trainer.Interval[1]}
	}
	r.began, r.first = time.Now(), s.Trainer.Step
	window := meter{}
	for step := s.Trainer.Step; step < r.Steps; step++ {
		if ctx.Err() != nil {
			return r.stop(ctx)
		}
		r.Train.Batch(uint64(step), r.step.x0)
		loss, norm, err := r.step.run(step)
		if err != nil {
			return fmt.Errorf("step %d: %w", step+1, err)
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) || math.IsNaN(norm) || math.IsInf(norm, 0) {
			return fmt.Errorf("step %d: loss is %v with gradient norm %v; the last checkpoint is kept as it was. A lower --lr or a longer --warmup may help", step+1, loss, norm)
		}
		window.add(loss, norm)
		s.Trainer.Step, s.Trainer.Tokens = step+1, s.Trainer.Tokens+int64(len(r.step.x0))
		if err := r.after(ctx, &window); err != nil {
			return err
		}
	}
	return nil
}

// after logs, validates and saves as the options ask, once a step is done.
func (r *Run) after(ctx context.Context, window *meter) error {
	step := r.State.Trainer.Step
	last := step == r.Steps
	if step%r.LogEvery == 0 || last || step == r.first+1 {
		r.line(window)
	}
	if step%r.ValidEvery == 0 || last {
		if err := r.validate(ctx); err != nil {
			return r.orStop(ctx, err)
		}
		if r.ClipSearch {
			if err := r.search(ctx); err != nil {
				return r.orStop(ctx, err)
			}
		}
	}
	if step%r.SaveEvery == 0 || last {
		return r.save()
	}
	return nil
}

func (r *Run) line(window *meter) {
	step := r.State.Trainer.Step
	loss, norm := window.take()
	elapsed := time.Since(r.began).Seconds()
	per := elapsed / float64(step-r.first)
	rate := float64(len(r.step.x0)) / per
	left := time.Duration(float64(r.Steps-step) * per * float64(time.Second))
	fmt.Fprintf(r.Log, "step %d/%d | loss %.4f | norm %.3f | lr %.2e | %.0f ms | %.0f tok/s | %.1f GFLOP/s | eta %s\n",
		step, r.Steps, loss, norm, r.rate(step-1), 1000*per, rate, r.flops()/per/1e9, left.Round(time.Second))
}

// flops estimates the arithmetic of one step: 6 a weight and row in the dense layers, and attention's
// two products, forward and backward, over the columns that exist.
func (r *Run) flops() float64 {
	c := &r.State.Config
	d, n := float64(c.HiddenDim), float64(c.ModelLength)
	rows := float64(len(r.step.x0))
	streams, columns := 2., 2*n+float64(c.BlockSize)
	if r.Objective == Autoregressive {
		streams, columns = 1, n
	}
	dense := float64(c.Blocks) * 12 * d * d * streams
	return 6*rows*(dense+d*float64(c.VocabSize)) + 12*rows*columns*d*float64(c.Blocks)
}

func (r *Run) validate(ctx context.Context) error {
	s := r.State
	held, err := r.eval.Run(ctx, r.step.state[1], r.Held, r.ValidSequences)
	if err != nil {
		return fmt.Errorf("validation: %w", err)
	}
	held.Step = s.Trainer.Step
	s.Trainer.HeldOut = held
	mark := ""
	if s.Trainer.Best.Step == 0 || held.NELBO < s.Trainer.Best.NELBO {
		s.Trainer.Best, mark = held, " (best)"
		if err := r.pull(); err != nil {
			return err
		}
		if err := checkpoint.SaveBest(r.Out, s); err != nil {
			return err
		}
	}
	fmt.Fprintf(r.Log, "step %d | held-out NELBO %.4f nats/token | ppl %.2f | %.4f bits/byte | %d tokens%s\n",
		held.Step, held.NELBO, math.Exp(held.NELBO), held.BitsByte, held.Tokens, mark)
	return nil
}

// search chooses the interval that training goes on with.
func (r *Run) search(ctx context.Context) error {
	interval, variance, err := r.eval.Search(ctx, r.step.state[1], r.Held, r.ValidSequences)
	if err != nil {
		return err
	}
	r.step.noiser.Interval = interval
	r.State.Trainer.Interval = &[2]float64{interval.Low, interval.High}
	fmt.Fprintf(r.Log, "step %d | noise levels from [%.2f, %.2f] on, variance %.3f\n", r.State.Trainer.Step, interval.Low, interval.High, variance)
	return nil
}

// pull copies the state from the device.
func (r *Run) pull() error {
	state, err := r.step.read()
	s := r.State
	s.Weights, s.EMA, s.M, s.V = state[0], state[1], state[2], state[3]
	return err
}

func (r *Run) save() error {
	if err := r.pull(); err != nil {
		return err
	}
	path, err := checkpoint.Save(r.Out, r.State, r.Keep)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.Log, "saved %s\n", path)
	return nil
}

func (r *Run) stop(ctx context.Context) error {
	fmt.Fprintln(r.Log, "stopping: saving first; run the same command again to go on")
	if err := r.save(); err != nil {
		return err
	}
	return ctx.Err()
}

// orStop saves and stops if err comes of an interrupt.
func (r *Run) orStop(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return r.stop(ctx)
	}
	return err
}

// Evaluate measures flat weights on the host.
func (e *Evaluator) Evaluate(ctx context.Context, weights []float32, held *batch.Stream, limit int) (checkpoint.HeldOut, error) {
	return e.Run(ctx, tensors.FromFlatDataAndDimensions(weights, len(weights)), held, limit)
}

// meter averages what is printed between two lines.
type meter struct {
	loss, norm float64
	n          int
}

func (m *meter) add(loss, norm float64) {
	m.loss += loss
	m.norm += norm
	m.n++
}

func (m *meter) take() (loss, norm float64) {
	n := float64(max(m.n, 1))
	loss, norm = m.loss/n, m.norm/n
	*m = meter{}
	return loss, norm
}

// Header describes the model in one line.
func Header(c *model.HubConfig) string {
	layout := network.NewLayout(c)
	return fmt.Sprintf("%d blocks, width %d, %d heads, vocabulary %d, length %d, block size %d: %.2f M parameters",
		c.Blocks, c.HiddenDim, c.Heads, c.VocabSize, c.ModelLength, c.BlockSize, float64(layout.Size)/1e6)
}
