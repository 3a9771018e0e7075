// Package loop runs training: the optimiser step, validation, checkpoints and the line that tells how
// it goes.
package loop

import (
	"fmt"
	"math"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/train/network"
	"github.com/unmask-lm/unmask/train/noise"
)

// Objective is what is trained.
type Objective string

// Objectives.
const (
	BD3LM          Objective = "bd3lm"
	MDLM           Objective = "mdlm" // BD3LM with one block
	Autoregressive Objective = "ar"
)

// Schedule is the course of the learning rate after its linear warm-up.
type Schedule string

// Schedules.
const (
	Constant Schedule = "constant" // the paper's
	Cosine   Schedule = "cosine"   // down to a tenth at the last step
	WSD      Schedule = "wsd"      // constant, and over the last fifth of the steps linearly down to 0
)

// wsdDecay is the share of the steps over which WSD lowers the rate.
const wsdDecay = 0.2

// Options decide how training goes, beside the model and the data.
type Options struct {
	Objective Objective
	Masking   noise.Masking
	Noise     noise.Schedule
	Interval  noise.Interval
	IgnoreBOS bool // the first token of a sequence is given, not predicted
	Batch     int  // sequences a step
	Steps     int  // at which training ends
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
	// FixClipping has the search report, and training keep its interval.
	FixClipping bool

	Accumulate int // rounds that a step's batch is cut into, to save memory
	Devices    int // that share each round
	BF16       bool
	Remat      bool

	// Spike stops training where the smoothed loss rises to so many times its lowest; 0 never does.
	Spike float64

	ValidEvery, ValidSequences int
	SaveEvery, Keep            int
	LogEvery                   int
	Out                        string
}

// Validate names the first option that makes no sense for the model.
func (o *Options) Validate(c *model.HubConfig) error {
	if o.Objective != BD3LM && o.Objective != MDLM && o.Objective != Autoregressive {
		return fmt.Errorf("--objective is %q, expected %q, %q or %q", o.Objective, BD3LM, MDLM, Autoregressive)
	}
	if o.Objective == MDLM && c.BlockSize != c.ModelLength {
		return fmt.Errorf("--objective %s has one block, so --block must be --length, %d; it is %d", MDLM, c.ModelLength, c.BlockSize)
	}
	if o.Schedule != Constant && o.Schedule != Cosine && o.Schedule != WSD {
		return fmt.Errorf("--schedule is %q, expected %q, %q or %q", o.Schedule, Constant, Cosine, WSD)
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
		{"--accumulate", float64(o.Accumulate), 1, 1 << 20},
		{"--devices", float64(o.Devices), 1, 1 << 10},
		{"--spike", o.Spike, 0, 1e9},
	} {
		if !(f.value >= f.min && f.value <= f.max) {
			return fmt.Errorf("%s is %v, expected %v to %v", f.name, f.value, f.min, f.max)
		}
	}
	if c.ModelLength%c.BlockSize != 0 {
		return fmt.Errorf("--length %d is no multiple of --block %d", c.ModelLength, c.BlockSize)
	}
	if o.Batch%(o.Accumulate*o.Devices) != 0 {
		return fmt.Errorf("--batch %d cannot be shared evenly by --accumulate %d × --devices %d", o.Batch, o.Accumulate, o.Devices)
	}
	if o.FixClipping && !o.ClipSearch {
		return fmt.Errorf("--fix-clipping keeps --clip-search from changing the interval, and there is none")
	}
	if o.ClipSearch && (o.Objective == Autoregressive || o.Masking != noise.Bernoulli) {
		return fmt.Errorf("--clip-search chooses an interval, which --objective %s with --masking %s has not", o.Objective, o.Masking)
	}
	noiser := o.noiser(c, 0)
	return noiser.Validate()
}

func (o *Options) noiser(c *model.HubConfig, mask int) noise.Noiser {
	n := noise.Noiser{Masking: o.Masking, Schedule: o.Noise, Interval: o.Interval, Block: c.BlockSize, Mask: int32(mask)}
	if o.IgnoreBOS {
		n.IgnoreFirst = c.ModelLength
	}
	return n
}

func (o *Options) network() network.Options { return network.Options{BF16: o.BF16, Remat: o.Remat} }

// Rate is the learning rate of step, counted from 0.
func (o *Options) Rate(step int) float64 {
	if step < o.Warmup {
		return o.LR * float64(step+1) / float64(o.Warmup)
	}
	switch o.Schedule {
	case Constant:
		return o.LR
	case WSD:
		return o.LR * min(1, float64(o.Steps-step)/max(1, wsdDecay*float64(o.Steps)))
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
