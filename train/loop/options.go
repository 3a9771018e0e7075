// Package loop runs training: the optimiser step, validation, checkpoints and the line that tells how
// it goes.
package loop

import (
	"fmt"
	"math"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/train/noise"
)

// Objective is what is trained.
type Objective string

// Objectives.
const (
	BD3LM          Objective = "bd3lm"
	Autoregressive Objective = "ar"
)

// Schedule is the course of the learning rate after its linear warm-up.
type Schedule string

// Schedules.
const (
	Constant Schedule = "constant" // the paper's
	Cosine   Schedule = "cosine"   // down to a tenth at the last step
)

// Options decide how training goes, beside the model and the data.
type Options struct {
	Objective Objective
	Masking   noise.Masking
	Interval  noise.Interval
	Batch     int // sequences a step
	Steps     int // at which training ends
	LR        float64
	Warmup    int // steps
	Schedule  Schedule
	Clip      float64 // of the gradient's global norm
	EMA       float64 // highest decay of the moving average
	Dropout   float64
	Decay     float64 // AdamW's weight decay
	Seed      uint64
	// ClipSearch chooses the interval anew at each validation, by Evaluator.Search.
	ClipSearch bool

	ValidEvery, ValidSequences int
	SaveEvery, Keep            int
	LogEvery                   int
	Out                        string
}

// Validate names the first option that makes no sense for the model.
func (o *Options) Validate(c *model.HubConfig) error {
	if o.Objective != BD3LM && o.Objective != Autoregressive {
		return fmt.Errorf("--objective is %q, expected %q or %q", o.Objective, BD3LM, Autoregressive)
	}
	if o.Schedule != Constant && o.Schedule != Cosine {
		return fmt.Errorf("--schedule is %q, expected %q or %q", o.Schedule, Constant, Cosine)
	}
	for _, f := range []struct {
		name     string
		value    float64
		min, max float64
	}{
		{"--batch", float64(o.Batch), 1, 1 << 20},
		{"--steps", float64(o.Steps), 1, 1 << 40},
		{"--lr", o.LR, 1e-9, 10},
		{"--warmup", float64(o.Warmup), 0, 1 << 40},
		{"--clip", o.Clip, 1e-6, 1e9},
		{"--ema", o.EMA, 0, 0.999999},
		{"--dropout", o.Dropout, 0, 0.9},
		{"--weight-decay", o.Decay, 0, 1},
		{"--valid-every", float64(o.ValidEvery), 1, 1 << 40},
		{"--valid-sequences", float64(o.ValidSequences), 1, 1 << 40},
		{"--save-every", float64(o.SaveEvery), 1, 1 << 40},
		{"--keep", float64(o.Keep), 1, 1 << 20},
		{"--log-every", float64(o.LogEvery), 1, 1 << 40},
	} {
		if !(f.value >= f.min && f.value <= f.max) {
			return fmt.Errorf("%s is %v, expected %v to %v", f.name, f.value, f.min, f.max)
		}
	}
	if c.ModelLength%c.BlockSize != 0 {
		return fmt.Errorf("--length %d is no multiple of --block %d", c.ModelLength, c.BlockSize)
	}
	if o.ClipSearch && (o.Objective != BD3LM || o.Masking != noise.Bernoulli) {
		return fmt.Errorf("--clip-search chooses an interval, which --objective %s with --masking %s has not", o.Objective, o.Masking)
	}
	noiser := o.noiser(c, 0)
	return noiser.Validate()
}

func (o *Options) noiser(c *model.HubConfig, mask int) noise.Noiser {
	return noise.Noiser{Masking: o.Masking, Interval: o.Interval, Block: c.BlockSize, Mask: int32(mask)}
}

// rate is the learning rate of step, counted from 0.
func (o *Options) rate(step int) float64 {
	if step < o.Warmup {
		return o.LR * float64(step+1) / float64(o.Warmup)
	}
	if o.Schedule == Constant {
		return o.LR
	}
	done := float64(step-o.Warmup) / math.Max(1, float64(o.Steps-o.Warmup))
	return o.LR * (0.1 + 0.9*0.5*(1+math.Cos(math.Pi*min(done, 1))))
}

// averaging is the decay of the moving average after step updates: low at first, so that the average
// forgets the random start (reference models/ema.py).
func (o *Options) averaging(step int) float64 {
	t := float64(step)
	return min(o.EMA, (1+t)/(10+t))
}
