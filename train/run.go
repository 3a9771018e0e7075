package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/strictjson"
	"github.com/unmask-lm/unmask/model/tokenizer"
	"github.com/unmask-lm/unmask/train/batch"
	"github.com/unmask-lm/unmask/train/checkpoint"
	"github.com/unmask-lm/unmask/train/corpus"
	"github.com/unmask-lm/unmask/train/loop"
	"github.com/unmask-lm/unmask/train/noise"
	"github.com/unmask-lm/unmask/train/vocabulary"
)

// flags are the options of a training run as given.
type flags struct {
	loop.Options
	data       []string
	tokenizer  string
	init       string
	provenance string
	backend    string
	interval   string
	valid      float64
	evalOnly   bool
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
	p.StringSliceVar(&f.data, "data", nil, "text files, or folders of .txt files")
	p.StringVar(&f.tokenizer, "tokenizer", "", "tokenizer.json (byte-level BPE)")
	p.StringVar(&f.Out, "out", "", "folder of the run's checkpoints")
	p.StringVar(&f.init, "init", "", "checkpoint whose averaged weights a new run starts from; its text, objective, block size and length may differ")
	p.StringVar(&f.provenance, "provenance", "", "JSON file with corpus, licence and recipe, copied into checkpoints")
	p.StringVar(&f.backend, "backend", "auto", "auto, go, xla:cpu, xla:cuda, or a GoMLX backend configuration")
	p.Float64Var(&f.valid, "valid-fraction", 0.02, "share of documents held out, chosen by hash")
	p.BoolVar(&f.evalOnly, "eval", false, "measure the newest checkpoint on all held-out text, record that in it, and stop")

	p.IntVar(&f.config.HiddenDim, "hidden", 256, "width of the model")
	p.IntVar(&f.config.Blocks, "layers", 6, "transformer blocks")
	p.IntVar(&f.config.Heads, "heads", 4, "attention heads")
	p.IntVar(&f.config.CondDim, "cond", 128, "width of the modulation's condition")
	p.IntVar(&f.config.ModelLength, "length", 256, "tokens of a training sequence")
	p.IntVar(&f.config.BlockSize, "block", 4, "block size, in tokens")

	p.StringVar((*string)(&f.Objective), "objective", string(loop.BD3LM), "bd3lm or ar")
	p.StringVar((*string)(&f.Masking), "masking", string(noise.Bernoulli), "bernoulli (the paper's) or count (the number of masked tokens is uniform)")
	p.StringVar(&f.interval, "interval", "0.001,1", "range of noise levels, low,high")
	p.BoolVar(&f.ClipSearch, "clip-search", false, "choose the interval anew at each validation, by the variance of the loss")
	p.IntVar(&f.Batch, "batch", 32, "sequences a step")
	p.IntVar(&f.Steps, "steps", 10_000, "optimiser steps in all")
	p.Float64Var(&f.LR, "lr", 3e-4, "learning rate after warm-up")
	p.IntVar(&f.Warmup, "warmup", 2500, "steps of linear warm-up")
	p.StringVar((*string)(&f.Schedule), "schedule", string(loop.Constant), "constant or cosine, after warm-up")
	p.Float64Var(&f.Clip, "clip", 1, "largest global norm of a gradient")
	p.Float64Var(&f.EMA, "ema", 0.9999, "decay of the weights' moving average")
	p.Float64Var(&f.Dropout, "dropout", 0.1, "dropout on the residual branches")
	p.Float64Var(&f.Decay, "weight-decay", 0, "AdamW's weight decay")
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
	docs, err := corpus.Read(f.data)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	text, err := os.ReadFile(f.tokenizer)
	if err != nil {
		return fmt.Errorf("--tokenizer: %w", err)
	}
	tok, err := tokenizer.Parse(text)
	if err != nil {
		return fmt.Errorf("--tokenizer: %s: %w", f.tokenizer, err)
	}
	end, ok := tok.ID(vocabulary.EndOfText)
	if !ok {
		return fmt.Errorf("--tokenizer: %s: no token %s", f.tokenizer, vocabulary.EndOfText)
	}
	mask := tok.Size()
	f.config.VocabSize, f.config.ModelType = mask+1, model.HubModelType
	if err := f.config.Validate(); err != nil {
		return usage("%v", err)
	}
	backend, err := openBackend(f.backend)
	if err != nil {
		return err
	}
	defer backend.Finalize()
	r := &loop.Run{Options: f.Options, Log: os.Stderr, Bytes: byteCounter(tok, end)}
	train, held, print, err := f.streams(docs, tok, end)
	if err != nil {
		return err
	}
	r.Train, r.Held = train, held
	if r.State, err = f.state(text, mask, end, print, describe(backend)); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "device: %s\n%s, %d tokens a step\n", describe(backend), loop.Header(&f.config), f.Batch*f.config.ModelLength)
	if f.evalOnly {
		return f.evaluate(ctx, backend, r)
	}
	return r.Do(ctx, backend)
}

// check refuses options that make no sense before any work is done.
func (f *flags) check() error {
	for _, need := range []struct {
		name  string
		empty bool
	}{{"--data", len(f.data) == 0}, {"--tokenizer", f.tokenizer == ""}, {"--out", f.Out == ""}} {
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
	if !(f.valid > 0 && f.valid < 1) {
		return usage("--valid-fraction is %v, expected a number between 0 and 1", f.valid)
	}
	if err := f.Options.Validate(&f.config); err != nil {
		return usage("%v", err)
	}
	return os.MkdirAll(f.Out, 0o755)
}

// streams splits and encodes the corpus, and fingerprints what the run must find again on resume.
func (f *flags) streams(docs []corpus.Document, tok *tokenizer.Tokenizer, end int) (train, held *batch.Stream, print string, err error) {
	trainDocs, heldDocs := corpus.Split(docs, f.valid)
	trainIDs, heldIDs := corpus.Tokens(trainDocs, tok, end), corpus.Tokens(heldDocs, tok, end)
	fmt.Fprintf(os.Stderr, "corpus: %d documents, %.2f MB, %d tokens; held out: %d documents, %.2f MB, %d tokens\n",
		len(trainDocs), float64(corpus.Bytes(trainDocs))/1e6, len(trainIDs), len(heldDocs), float64(corpus.Bytes(heldDocs))/1e6, len(heldIDs))
	if train, err = batch.New(trainIDs, f.config.ModelLength, f.Seed); err != nil {
		return nil, nil, "", fmt.Errorf("--data: training part: %w", err)
	}
	if held, err = batch.New(heldIDs, f.config.ModelLength, f.Seed); err != nil {
		return nil, nil, "", fmt.Errorf("--data: held-out part (--valid-fraction %v): %w", f.valid, err)
	}
	h := sha256.New()
	if err := binary.Write(h, binary.LittleEndian, trainIDs); err != nil {
		return nil, nil, "", err
	}
	o := f.Options
	fmt.Fprint(h, o.Objective, o.Masking, o.Interval, o.Batch, o.LR, o.Warmup, o.Schedule, o.Clip, o.EMA, o.Dropout, o.Decay, o.Seed)
	if o.ClipSearch {
		fmt.Fprint(h, "clip-search", o.ValidEvery)
	}
	if o.Schedule != loop.Constant {
		fmt.Fprint(h, o.Steps)
	}
	return train, held, hex.EncodeToString(h.Sum(nil)), nil
}

// state resumes from the newest checkpoint in --out, or starts afresh.
func (f *flags) state(text []byte, mask, end int, print, device string) (*checkpoint.State, error) {
	path, err := checkpoint.Latest(f.Out)
	if err != nil {
		return nil, err
	}
	if path == "" {
		s := &checkpoint.State{Config: f.config, Tokenizer: text}
		s.Trainer = checkpoint.Trainer{
			Objective: string(f.Objective), Seed: f.Seed, Batch: f.Batch, Fingerprint: print, Device: device, Mask: mask, EOS: end,
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
	if s.Trainer.Fingerprint != print && !f.evalOnly {
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

func (f *flags) evaluate(ctx context.Context, backend compute.Backend, r *loop.Run) error {
	e, err := loop.NewEvaluator(backend, &f.Options, &f.config, r.State.Trainer.Mask, r.Bytes)
	if err != nil {
		return err
	}
	held, err := e.Evaluate(ctx, r.State.EMA, r.Held, r.Held.Sequences())
	if err != nil {
		return err
	}
	held.Step = r.State.Trainer.Step
	r.State.Trainer.HeldOut = held
	if _, err := checkpoint.Save(f.Out, r.State, f.Keep); err != nil {
		return err
	}
	fmt.Printf("{\"step\":%d,\"nelbo\":%.5f,\"bits_per_byte\":%.5f,\"tokens\":%d,\"bytes\":%d}\n",
		r.State.Trainer.Step, held.NELBO, held.BitsByte, held.Tokens, held.Bytes)
	return nil
}

// byteCounter tells how much text a sequence stands for; end-of-text stands for none.
func byteCounter(tok *tokenizer.Tokenizer, end int) func([]int32) int64 {
	size := make([]int64, tok.Size())
	for id := range size {
		if id != end {
			size[id] = int64(len(tok.Bytes([]int{id})))
		}
	}
	return func(ids []int32) (n int64) {
		for _, id := range ids {
			n += size[id]
		}
		return n
	}
}
