package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/strictjson"
	"github.com/unmask-lm/unmask/train/checkpoint"
	"github.com/unmask-lm/unmask/train/loop"
	"github.com/unmask-lm/unmask/train/noise"
	"github.com/unmask-lm/unmask/train/shards"
)

// flags are the options of a training run as given.
type flags struct {
	loop.Options
	data
	tokenizer  string
	init       string
	provenance string
	backend    string
	interval   string
	precision  string
	bench      bool
	config     model.HubConfig
}

func runCommand() *cobra.Command {
	f := &flags{}
	c := &cobra.Command{
		Use:   "train --data PATH --tokenizer FILE --out DIR",
		Short: "train a block-diffusion language model (BD3-LM) from text",
		Long: `Trains a block-diffusion language model from text. Run the same command again to go on from the
newest checkpoint in --out: the steps that follow are the ones an uninterrupted run would have taken.
Ctrl-C saves and stops.

Exit status: 0 done, 1 failure, 2 bad use, 130 interrupted (saved).`,
		Example: "  train --data corpus --tokenizer tokenizer.json --out runs/small --steps 2000 --backend xla:cpu",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return f.run(c.Context()) },
	}
	p := c.Flags()
	p.SortFlags = false
	f.data.flags(c)
	p.StringVar(&f.tokenizer, "tokenizer", "", "tokenizer.json: byte-level BPE, or any kind where Hugging Face's library is built in")
	p.StringVar(&f.Out, "out", "", "folder of the run's checkpoints")
	p.StringVar(&f.init, "init", "", "checkpoint whose averaged weights a new run starts from; its text, objective, block size and length may differ")
	p.StringVar(&f.provenance, "provenance", "", "JSON file with corpus, licence and recipe, copied into checkpoints")
	p.StringVar(&f.backend, "backend", "auto", "auto, go, xla:cpu, xla:cuda, or a GoMLX backend configuration")
	p.BoolVar(&f.bench, "bench", false, "time a few steps, print speed and memory, save nothing")

	p.IntVar(&f.config.HiddenDim, "hidden", 256, "width of the model")
	p.IntVar(&f.config.Blocks, "layers", 6, "transformer blocks")
	p.IntVar(&f.config.Heads, "heads", 4, "attention heads")
	p.IntVar(&f.config.CondDim, "cond", 128, "width of the modulation's condition")
	p.IntVar(&f.config.ModelLength, "length", 256, "tokens of a training sequence")
	p.IntVar(&f.config.BlockSize, "block", 4, "block size, in tokens")

	p.StringVar((*string)(&f.Objective), "objective", string(loop.BD3LM), "bd3lm, mdlm (one block) or ar")
	p.StringVar((*string)(&f.Masking), "masking", string(noise.Bernoulli), "bernoulli (the paper's) or count (the number of masked tokens is uniform)")
	p.StringVar((*string)(&f.Noise), "noise", string(noise.Linear), fmt.Sprintf("noise schedule: one of %v", noise.Schedules))
	p.StringVar(&f.interval, "interval", "0.001,1", "range of noise levels, low,high")
	p.BoolVar(&f.ClipSearch, "clip-search", false, "choose the interval anew at each validation, by the variance of the loss")
	p.BoolVar(&f.FixClipping, "fix-clipping", false, "have --clip-search report, and keep --interval")
	p.BoolVar(&f.IgnoreBOS, "ignore-bos", false, "give the first token of each sequence, as the paper's code does for AR's sake")
	p.IntVar(&f.Batch, "batch", 32, "sequences a step")
	p.IntVar(&f.Steps, "steps", 10_000, "optimiser steps in all")
	p.Float64Var(&f.LR, "lr", 3e-4, "learning rate after warm-up")
	p.IntVar(&f.Warmup, "warmup", 2500, "steps of linear warm-up")
	p.StringVar((*string)(&f.Schedule), "schedule", string(loop.Constant), "constant, cosine (to a tenth) or wsd (to zero over the last fifth), after warm-up")
	p.Float64Var(&f.Clip, "clip", 1, "largest global norm of a gradient")
	p.Float64Var(&f.EMA, "ema", 0.9999, "decay of the weights' moving average")
	p.Float64Var(&f.Dropout, "dropout", 0.1, "dropout on the residual branches")
	p.Float64Var(&f.Decay, "weight-decay", 0, "AdamW's weight decay")
	p.IntVar(&f.Accumulate, "accumulate", 1, "rounds to cut a step's batch into, to save memory")
	p.IntVar(&f.Devices, "devices", 1, "devices of this machine that share each round")
	p.StringVar(&f.precision, "precision", "f32", "f32, or bf16 for the operands of matmuls")
	p.BoolVar(&f.Remat, "remat", false, "compute layers again in the backward pass, to save memory (gradient checkpointing)")
	p.Float64Var(&f.Spike, "spike", 2, "stop where the smoothed loss rises to so many times its lowest; 0 never does")
	p.Uint64Var(&f.Seed, "seed", 1, "seed of weights, order, noise and dropout")

	p.IntVar(&f.ValidEvery, "valid-every", 1000, "steps between validations")
	p.IntVar(&f.ValidSequences, "valid-sequences", 128, "sequences of a validation")
	p.IntVar(&f.SaveEvery, "save-every", 1000, "steps between checkpoints")
	p.IntVar(&f.Keep, "keep", 2, "checkpoints to keep, the best one aside")
	p.IntVar(&f.LogEvery, "log-every", 50, "steps between progress lines")
	return c
}

func usage(format string, args ...any) error {
	return errors.Join(errUsage, fmt.Errorf(format, args...))
}

func (f *flags) run(ctx context.Context) error {
	if err := f.check(); err != nil {
		return err
	}
	raw, err := os.ReadFile(f.tokenizer)
	if err != nil {
		return fmt.Errorf("--tokenizer: %w", err)
	}
	text, err := openVocabulary(f.tokenizer, raw)
	if err != nil {
		return fmt.Errorf("--tokenizer: %w", err)
	}
	f.config.VocabSize, f.config.ModelType = text.size(), model.HubModelType
	if err := f.config.Validate(); err != nil {
		return usage("%v", err)
	}
	backend, err := openBackend(f.backend)
	if err != nil {
		return err
	}
	defer backend.Finalize()
	if f.Devices > backend.NumDevices() {
		return usage("--devices is %d, and %s has %d", f.Devices, describe(backend), backend.NumDevices())
	}
	set, err := f.data.open(ctx, text)
	if err != nil {
		return err
	}
	defer set.Close()
	r := &loop.Run{Options: f.Options, Bytes: text.byteCounter(set.Parts[shards.HeldOut])}
	if r.Train, err = stream(set.Train, f.config.ModelLength, f.Seed, "--data: training part"); err != nil {
		return err
	}
	if r.Held, err = stream(set.HeldOut, f.config.ModelLength, f.Seed, fmt.Sprintf("--data: held-out part (--valid-fraction %v)", f.valid)); err != nil {
		return err
	}
	if r.State, err = f.state(text, f.fingerprint(set), describe(backend)); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "device: %s\n%s, %d tokens a step\n%s\n", describe(backend), loop.Header(&f.config), f.Batch*f.config.ModelLength, loop.Memory(&f.Options, &f.config))
	if f.bench {
		return r.Bench(ctx, backend, os.Stdout)
	}
	if f.Objective != loop.Autoregressive {
		r.Sample = sampleOf(ctx, r.State)
	}
	display := newDisplay(r.State.Trainer.Step, f.Steps)
	defer display.close()
	r.Log, r.Progress = display, display.progress
	return r.Do(ctx, backend)
}

// check refuses options that make no sense before any work is done.
func (f *flags) check() error {
	if err := f.data.check(); err != nil {
		return err
	}
	for _, need := range []struct {
		name  string
		empty bool
	}{{"--tokenizer", f.tokenizer == ""}, {"--out", f.Out == ""}} {
		if need.empty {
			return usage("%s is required", need.name)
		}
	}
	low, high, ok := strings.Cut(f.interval, ",")
	var err1, err2 error
	f.Interval.Low, err1 = strconv.ParseFloat(low, 64)
	f.Interval.High, err2 = strconv.ParseFloat(high, 64)
	if !ok || err1 != nil || err2 != nil {
		return usage("--interval is %q, expected low,high", f.interval)
	}
	if f.precision != "f32" && f.precision != "bf16" {
		return usage("--precision is %q, expected f32 or bf16", f.precision)
	}
	f.BF16 = f.precision == "bf16"
	if f.Objective == loop.MDLM {
		f.config.BlockSize = f.config.ModelLength
	}
	if err := f.Options.Validate(&f.config); err != nil {
		return usage("%v", err)
	}
	if err := os.MkdirAll(f.Out, 0o755); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	probe, err := os.CreateTemp(f.Out, ".writable-")
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// fingerprint hashes what a run must find again on resume.
func (f *flags) fingerprint(set *shards.Set) string {
	h := sha256.New()
	o := f.Options
	fmt.Fprintln(h, set.Fingerprint(), o.Objective, o.Masking, o.Noise, o.Interval, o.IgnoreBOS, o.Batch, o.Accumulate, o.Devices,
		o.LR, o.Warmup, o.Schedule, o.Clip, o.EMA, o.Dropout, o.Decay, o.Seed, o.BF16)
	if o.ClipSearch {
		fmt.Fprintln(h, "clip-search", o.FixClipping, o.ValidEvery)
	}
	if o.Schedule != loop.Constant {
		fmt.Fprintln(h, o.Steps)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// state resumes from the newest checkpoint in --out, or starts afresh.
func (f *flags) state(text *vocabularyFile, print, device string) (*checkpoint.State, error) {
	path, err := checkpoint.Latest(f.Out)
	if err != nil {
		return nil, err
	}
	if path == "" {
		s := &checkpoint.State{Config: f.config, Tokenizer: text.raw}
		s.Trainer = checkpoint.Trainer{
			Objective: string(f.Objective), IgnoreBOS: f.IgnoreBOS, Seed: f.Seed, Batch: f.Batch, Fingerprint: print, Device: device,
			Mask: text.mask, EOS: text.end,
		}
		if f.provenance != "" {
			data, err := os.ReadFile(f.provenance)
			if err != nil {
				return nil, fmt.Errorf("--provenance: %w", err)
			}
			if err := strictjson.Unmarshal(data, &s.Trainer.Provenance); err != nil {
				return nil, fmt.Errorf("--provenance: %s: %w", f.provenance, err)
			}
		}
		loop.Start(s, f.Seed)
		if f.init != "" {
			if err := adopt(s, f.init); err != nil {
				return nil, fmt.Errorf("--init: %w", err)
			}
		}
		return s, nil
	}
	s, err := checkpoint.Load(path)
	if err != nil {
		return nil, err
	}
	if s.Config != f.config {
		return nil, fmt.Errorf("%s holds another model than the options describe: %s there, %s here; use another --out", path, loop.Header(&s.Config), loop.Header(&f.config))
	}
	if s.Trainer.Fingerprint != print {
		return nil, fmt.Errorf("%s was trained on other text or with other options, so its course cannot go on; use another --out", path)
	}
	fmt.Fprintf(os.Stderr, "resuming %s\n", path)
	return s, nil
}

// adopt gives a fresh state the averaged weights of another checkpoint. What a tensor means must not
// change, so the tokenizer and all shapes must be the same.
func adopt(s *checkpoint.State, path string) error {
	other, err := checkpoint.Load(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(other.Tokenizer, s.Tokenizer) {
		return fmt.Errorf("%s was trained with another tokenizer than --tokenizer", path)
	}
	if !slices.EqualFunc(other.Specs, s.Specs, func(a, b model.TensorSpec) bool { return a.Name == b.Name && slices.Equal(a.Shape, b.Shape) }) {
		return fmt.Errorf("%s holds another model than the options describe: %s there, %s here", path, loop.Header(&other.Config), loop.Header(&s.Config))
	}
	copy(s.Weights, other.EMA)
	copy(s.EMA, other.EMA)
	s.Trainer.Tokens = other.Trainer.Tokens
	fmt.Fprintf(os.Stderr, "starting from the weights of %s\n", path)
	return nil
}
