package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/train/batch"
	"github.com/unmask-lm/unmask/train/checkpoint"
	"github.com/unmask-lm/unmask/train/corpus"
	"github.com/unmask-lm/unmask/train/loop"
	"github.com/unmask-lm/unmask/train/noise"
	"github.com/unmask-lm/unmask/train/shards"
)

// evaluation are the options of `train eval` as given.
type evaluation struct {
	data
	in, backend  string
	sets         []string
	batch, limit int
	draws        int
	raw, record  bool
	variance     bool
	samples      sampling

	// What was opened.
	device  compute.Backend
	path    string // of the checkpoint
	state   *checkpoint.State
	weights []float32
	text    *vocabularyFile
}

func evalCommand() *cobra.Command {
	e := &evaluation{}
	c := &cobra.Command{
		Use:   "eval --in CHECKPOINT [--data PATH] [--set NAME=PATH] [--samples N --judge CHECKPOINT]",
		Short: "measure a checkpoint: likelihood of texts, variance of the loss, quality of samples",
		Long: `Measures a checkpoint and prints a line of JSON for each measurement.

--data measures its held-out part, as in training; --set all of a text that was not trained on. The bound
(nelbo, nats a token) is exact for autoregressive models and for blocks of up to 8 tokens; otherwise it is
sampled, and std_err is its standard error.

--samples writes texts through the runtime and prints their entropy and, with --judge, their perplexity
under another checkpoint (generative perplexity).`,
		Example: `  train eval --in runs/small --data corpus
  train eval --in runs/small --set wiki=wiki.txt --set books=books.parquet
  train eval --in runs/small --samples 50 --judge runs/judge`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return e.run(c.Context()) },
	}
	p := c.Flags()
	p.SortFlags = false
	p.StringVar(&e.in, "in", "", "checkpoint, or folder of a run: its best one, or else its newest")
	e.data.flags(c)
	p.StringArrayVar(&e.sets, "set", nil, "NAME=PATH: a text to measure as a whole; may be given again")
	p.StringVar(&e.backend, "backend", "auto", "auto, go, xla:cpu, xla:cuda, or a GoMLX backend configuration")
	p.IntVar(&e.batch, "batch", 8, "sequences a pass")
	p.IntVar(&e.limit, "sequences", 0, "measure so many sequences, spread evenly; 0: all")
	p.IntVar(&e.draws, "draws", 16, "passes of a bound that is sampled")
	p.BoolVar(&e.raw, "raw", false, "measure the weights themselves, not their average")
	p.BoolVar(&e.record, "record", false, "keep the result of --data in the checkpoint, for convert to tell")
	p.BoolVar(&e.variance, "variance", false, "also print the variance of the loss of a block under the paper's intervals")
	e.samples.flags(p)
	return c
}

func (e *evaluation) run(ctx context.Context) error {
	if err := e.check(); err != nil {
		return err
	}
	var err error
	if e.device, err = openBackend(e.backend); err != nil {
		return err
	}
	defer e.device.Finalize()
	if e.path, err = findCheckpoint(e.in); err != nil {
		return fmt.Errorf("--in: %w", err)
	}
	if e.state, err = checkpoint.Load(e.path); err != nil {
		return fmt.Errorf("--in: %w", err)
	}
	if e.weights = e.state.EMA; e.raw {
		e.weights = e.state.Weights
	}
	if e.text, err = openVocabulary(filepath.Join(e.path, "tokenizer.json"), e.state.Tokenizer); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s, step %d, %s: %s\n", e.path, e.state.Trainer.Step, e.state.Trainer.Objective, loop.Header(&e.state.Config))
	if len(e.paths) > 0 {
		if err := e.heldOut(ctx); err != nil {
			return err
		}
	}
	for _, set := range e.sets {
		if err := e.set(ctx, set); err != nil {
			return fmt.Errorf("--set %s: %w", set, err)
		}
	}
	return e.samples.run(ctx, e)
}

func (e *evaluation) check() error {
	if e.in == "" {
		return usage("--in is required")
	}
	if len(e.paths) == 0 && len(e.sets) == 0 && e.samples.count == 0 {
		return usage("nothing to measure: give --data, --set or --samples")
	}
	if e.record && len(e.paths) == 0 {
		return usage("--record keeps the result of --data, which was not given")
	}
	if e.batch < 1 || e.limit < 0 || e.draws < 2 {
		return usage("--batch is %d, --sequences %d, --draws %d; expected at least 1, 0 and 2", e.batch, e.limit, e.draws)
	}
	for _, set := range e.sets {
		if name, path, ok := strings.Cut(set, "="); !ok || name == "" || path == "" {
			return usage("--set is %q, expected NAME=PATH", set)
		}
	}
	if len(e.paths) > 0 {
		return e.data.check()
	}
	return nil
}

// heldOut measures the held-out part of --data.
func (e *evaluation) heldOut(ctx context.Context) error {
	set, err := e.data.open(ctx, e.text)
	if err != nil {
		return err
	}
	defer set.Close()
	held, err := e.measure(ctx, "held-out", set.HeldOut, set.Parts[shards.HeldOut])
	if err != nil || !e.record {
		return err
	}
	held.Step = e.state.Trainer.Step
	e.state.Trainer.HeldOut = held
	return checkpoint.Write(e.path, e.state)
}

// set measures all of a text.
func (e *evaluation) set(ctx context.Context, set string) error {
	name, path, _ := strings.Cut(set, "=")
	files, err := corpus.Files([]string{path})
	if err != nil {
		return err
	}
	s, err := openShards(ctx, "", shards.Recipe{
		Files: files, Field: e.field, Tokenizer: e.text.raw, Encoder: e.text.codec, End: e.text.end,
	})
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = e.measure(ctx, name, s.Train, s.Parts[shards.Train])
	return err
}

func (e *evaluation) measure(ctx context.Context, name string, tokens batch.Tokens, part shards.Part) (checkpoint.HeldOut, error) {
	text, err := stream(tokens, e.state.Config.ModelLength, 0, name)
	if err != nil {
		return checkpoint.HeldOut{}, err
	}
	v, err := evaluator(e.device, e.state, min(e.batch, text.Sequences()), e.text.byteCounter(part))
	if err != nil {
		return checkpoint.HeldOut{}, err
	}
	v.Draws = e.draws
	limit := e.limit
	if limit == 0 {
		limit = text.Sequences()
	}
	held, err := v.Evaluate(ctx, e.weights, text, limit)
	if err != nil {
		return held, err
	}
	err = say(map[string]any{
		"set": name, "step": e.state.Trainer.Step, "nelbo": held.NELBO, "std_err": held.StdErr, "ppl": math.Exp(held.NELBO),
		"bits_per_byte": held.BitsByte, "tokens": held.Tokens, "bytes": held.Bytes,
	})
	if err != nil || !e.variance {
		return held, err
	}
	for _, interval := range []noise.Interval{noise.Full, {Low: 1e-3, High: 0.5}, {Low: 0.3, High: 0.8}, {Low: 0.5, High: 1}, {Low: 0.45, High: 0.95}, {Low: 1, High: 1}} {
		variance, err := v.Variance(ctx, e.weights, text, limit, interval)
		if err != nil {
			continue // no block of this size has its share of masks inside
		}
		if err := say(map[string]any{"set": name, "low": interval.Low, "high": interval.High, "variance": variance}); err != nil {
			return held, err
		}
	}
	return held, nil
}

// evaluator measures a checkpoint, exactly where that takes no more than 255 passes.
func evaluator(backend compute.Backend, s *checkpoint.State, size int, bytes func([]int32) int64) (*loop.Evaluator, error) {
	o := &loop.Options{Objective: loop.Objective(s.Trainer.Objective), IgnoreBOS: s.Trainer.IgnoreBOS, Batch: size, Accumulate: 1}
	v, err := loop.NewEvaluator(backend, o, &s.Config, s.Trainer.Mask, bytes)
	if err != nil {
		return nil, err
	}
	v.Exact = 8
	return v, nil
}

// findCheckpoint takes a checkpoint as it is, and of a run its best, or else its newest.
func findCheckpoint(path string) (string, error) {
	for _, dir := range []string{path, filepath.Join(path, "best")} {
		if _, err := os.Stat(filepath.Join(dir, checkpoint.TrainerFile)); err == nil {
			return dir, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	latest, err := checkpoint.Latest(path)
	if err == nil && latest == "" {
		err = fmt.Errorf("%s: no checkpoint here", path)
	}
	return latest, err
}

// say prints a line of JSON.
func say(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }
