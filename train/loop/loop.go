package loop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/train/batch"
	"github.com/unmask-lm/unmask/train/checkpoint"
	"github.com/unmask-lm/unmask/train/metrics"
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
	// Progress, where set, is told of every step, with a short text that tells how it goes.
	Progress func(step int, text string)
	// Sample, where set, writes a text with averaged weights, at each validation.
	Sample func(weights []float32) (string, error)

	step    *stepper
	eval    *Evaluator
	metrics *metrics.Log
	watch   watch
	began   time.Time
	first   int
}

// DoneFile marks the folder of a run that has done all its steps.
const DoneFile = "DONE"

// Start gives a State its initial weights.
func Start(s *checkpoint.State, seed uint64) {
	layout := network.NewLayout(&s.Config)
	s.Specs, s.Weights = layout.Specs, layout.Init(seed)
	s.EMA = append([]float32(nil), s.Weights...)
	s.M, s.V = make([]float32, layout.Size), make([]float32, layout.Size)
}

// Do trains until Options.Steps. When ctx ends it saves and returns ctx's error.
func (r *Run) Do(ctx context.Context, backend compute.Backend) (err error) {
	s := r.State
	if s.Trainer.Step >= r.Steps {
		fmt.Fprintf(r.Log, "step %d of %d is done; nothing is left to do\n", s.Trainer.Step, r.Steps)
		return nil
	}
	if err := os.Remove(filepath.Join(r.Out, DoneFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if r.metrics, err = metrics.Open(r.Out, s.Trainer.Step); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.metrics.Close()) }()
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
		if err := r.Train.Batch(uint64(step), r.step.x0); err != nil {
			return err
		}
		loss, norm, err := r.step.run(step)
		if err != nil {
			return fmt.Errorf("step %d: %w", step+1, err)
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) || math.IsNaN(norm) || math.IsInf(norm, 0) {
			return fmt.Errorf("step %d: loss is %v with gradient norm %v; %s. A lower --lr or a longer --warmup may help", step+1, loss, norm, r.kept())
		}
		if lowest, high := r.watch.add(loss, r.Spike); high {
			return fmt.Errorf("step %d: the smoothed loss has risen to %.4f, %.2f times its lowest, %.4f; %s. Go on from it with a lower --lr, or raise --spike (0 never stops)", step+1, r.watch.smooth, r.watch.smooth/lowest, lowest, r.kept())
		}
		window.add(loss, norm)
		s.Trainer.Step, s.Trainer.Tokens = step+1, s.Trainer.Tokens+int64(len(r.step.x0))
		if err := r.after(ctx, &window); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(r.Out, DoneFile), fmt.Appendf(nil, "%d steps\n", r.Steps), 0o644)
}

// kept names the checkpoint that a run which stops early leaves.
func (r *Run) kept() string {
	path, err := checkpoint.Latest(r.Out)
	if path == "" || err != nil {
		return "no checkpoint was saved yet"
	}
	return "the last checkpoint is kept as it was, " + path
}

// after logs, validates and saves as the options ask, once a step is done.
func (r *Run) after(ctx context.Context, window *meter) error {
	step := r.State.Trainer.Step
	last := step == r.Steps
	if r.Progress != nil {
		r.Progress(step, window.text())
	}
	if step%r.LogEvery == 0 || last || step == r.first+1 {
		if err := r.line(window); err != nil {
			return err
		}
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

func (r *Run) line(window *meter) error {
	step := r.State.Trainer.Step
	loss, norm := window.take()
	elapsed := time.Since(r.began).Seconds()
	per := elapsed / float64(step-r.first)
	rate := float64(len(r.step.x0)) / per
	left := time.Duration(float64(r.Steps-step) * per * float64(time.Second))
	fmt.Fprintf(r.Log, "step %d/%d | loss %.4f | norm %.3f | lr %.2e | %.0f ms | %.0f tok/s | %.1f GFLOP/s | eta %s\n",
		step, r.Steps, loss, norm, r.Rate(step-1), 1000*per, rate, r.flops()/per/1e9, left.Round(time.Second))
	return r.metrics.Write(metrics.Record{Step: step, Kind: metrics.Train, Values: map[string]float64{
		"loss": loss, "norm": norm, "lr": r.Rate(step - 1), "tokens_per_second": rate, "gflops": r.flops() / per / 1e9,
	}})
}

// flops is the arithmetic that one step needs: 6 a weight and row in the dense layers, and attention's
// two products, forward and backward, over the columns that a row sees.
func (r *Run) flops() float64 {
	c := &r.State.Config
	d, n, block := float64(c.HiddenDim), float64(c.ModelLength), float64(c.BlockSize)
	rows, layers := float64(len(r.step.x0)), float64(c.Blocks)
	const qkv, rest = 3, 9 // weights of a layer, in units of d²
	head := d * float64(c.VocabSize)
	attention := func(columns float64) float64 { return 12 * columns * d }
	if r.Objective == Autoregressive {
		return rows * (6*(layers*(qkv+rest)*d*d+head) + layers*attention((n+1)/2))
	}
	masked := 0.5 // share of the rows that have a loss
	if r.Masking == noise.Count {
		masked = (1 + 1/block) / 2
	}
	last := (rest*d*d + head) * masked
	if c.BlockSize == c.ModelLength {
		return rows * (6*((layers-1)*(qkv+rest)*d*d+qkv*d*d+last) + layers*attention(n))
	}
	noisy, clean := (n-block)/2+block, (n+block)/2
	return rows * (6*(2*((layers-1)*(qkv+rest)+qkv)*d*d+last) + layers*attention(noisy) + (layers-1)*attention(clean))
}

func (r *Run) validate(ctx context.Context) error {
	s := r.State
	held, err := r.eval.Run(ctx, r.step.state[1].keep(0), r.Held, r.ValidSequences)
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
			return fmt.Errorf("%w; %s", err, r.kept())
		}
	}
	fmt.Fprintf(r.Log, "step %d | held-out NELBO %.4f nats/token | ppl %.2f | %.4f bits/byte | %d tokens%s\n",
		held.Step, held.NELBO, math.Exp(held.NELBO), held.BitsByte, held.Tokens, mark)
	if err := r.metrics.Write(metrics.Record{Step: held.Step, Kind: metrics.Validate, Values: map[string]float64{
		"nelbo": held.NELBO, "ppl": math.Exp(held.NELBO), "bits_per_byte": held.BitsByte, "std_err": held.StdErr,
	}}); err != nil {
		return err
	}
	return r.sample()
}

// sample has the averaged weights write a text.
func (r *Run) sample() error {
	if r.Sample == nil {
		return nil
	}
	if err := r.pull(); err != nil {
		return err
	}
	text, err := r.Sample(r.State.EMA)
	if err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	fmt.Fprintf(r.Log, "step %d | sample: %q\n", r.State.Trainer.Step, text)
	return nil
}

// search chooses the interval that training goes on with.
func (r *Run) search(ctx context.Context) error {
	interval, variance, err := r.eval.Search(ctx, r.step.state[1].keep(0), r.Held, r.ValidSequences)
	if err != nil {
		return err
	}
	verb := "would vary least"
	if !r.FixClipping {
		verb = "are drawn from now on"
		r.step.noiser.Interval = interval
		r.State.Trainer.Interval = &[2]float64{interval.Low, interval.High}
	}
	fmt.Fprintf(r.Log, "step %d | noise levels from [%.2f, %.2f] %s, variance %.3f\n", r.State.Trainer.Step, interval.Low, interval.High, verb, variance)
	return r.metrics.Write(metrics.Record{Step: r.State.Trainer.Step, Kind: metrics.Search, Values: map[string]float64{
		"low": interval.Low, "high": interval.High, "variance": variance,
	}})
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
		return fmt.Errorf("%w; %s", err, r.kept())
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

// text is what a progress bar shows.
func (m *meter) text() string {
	return fmt.Sprintf("loss %.4f", m.loss/float64(max(m.n, 1)))
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
