// Command reproduce trains small models of one size on one corpus and compares them as the BD3-LM paper
// compares its large ones. It takes hours, can be stopped and started again, and leaves a report.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// experiment is one training run.
type experiment struct {
	name, what string
	options    []string
}

// experiments are the runs, those of the main table first.
var experiments = []experiment{
	{"ar", "autoregressive", []string{"--objective", "ar", "--block", "1"}},
	{"bd1-always", "BD3-LM, block 1, always masked", []string{"--block", "1", "--interval", "1,1"}},
	{"bd4", "BD3-LM, block 4", []string{"--block", "4"}},
	{"bd8", "BD3-LM, block 8", []string{"--block", "8"}},
	{"bd16", "BD3-LM, block 16", []string{"--block", "16"}},
	{"mdlm", "MDLM, one block", []string{"--objective", "mdlm"}},
	{"bd1", "BD3-LM, block 1", []string{"--block", "1"}},
	{"bd4-clipped", "BD3-LM, block 4, levels from [0.45, 0.95]", []string{"--block", "4", "--interval", "0.45,0.95"}},
}

// settings are the options of `reproduce`.
type settings struct {
	train, corpus, out, report string
	steps, sequences           int
}

func main() {
	s := &settings{}
	c := &cobra.Command{
		Use:           "reproduce",
		Short:         "train small models and compare them as the paper does",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return s.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&s.train, "train", "bin/train", "the train command")
	f.StringVar(&s.corpus, "data", ".cache/corpus", "text to train on")
	f.StringVar(&s.out, "out", "runs/reproduce", "folder of the runs")
	f.StringVar(&s.report, "report", "docs", "folder of reproduction.md and its plots")
	f.IntVar(&s.steps, "steps", 1000, "optimiser steps of each run")
	f.IntVar(&s.sequences, "sequences", 512, "held-out sequences to measure")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := c.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "reproduce: error: %v\n", err)
		os.Exit(1)
	}
}

func (s *settings) run(ctx context.Context) error {
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	tokenizer := filepath.Join(s.out, "tokenizer.json")
	if _, err := os.Stat(tokenizer); errors.Is(err, os.ErrNotExist) {
		if err := s.command(ctx, os.Stderr, "tokenizer", "--data", s.corpus, "--vocab", "1023", "--out", tokenizer); err != nil {
			return err
		}
	}
	var results []result
	for _, e := range experiments {
		fmt.Fprintf(os.Stderr, "== %s: %s\n", e.name, e.what)
		dir := filepath.Join(s.out, e.name)
		if err := s.command(ctx, os.Stderr, s.options(e, tokenizer)...); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		r, err := s.measure(ctx, e, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		results = append(results, r)
	}
	plots := append([]string{"plot", "--format", "svg", "--out", filepath.Join(s.report, "reproduction")}, s.runs()...)
	if err := s.command(ctx, os.Stderr, plots...); err != nil {
		return err
	}
	return s.write(results)
}

func (s *settings) runs() (dirs []string) {
	for _, e := range experiments {
		dirs = append(dirs, filepath.Join(s.out, e.name))
	}
	return dirs
}

// options are the same for all but for what is compared. The rate is constant, so that more steps go on
// from fewer.
func (s *settings) options(e experiment, tokenizer string) []string {
	return append([]string{
		"--data", s.corpus, "--tokenizer", tokenizer, "--out", filepath.Join(s.out, e.name),
		"--hidden", "128", "--heads", "4", "--layers", "3", "--cond", "32", "--length", "128",
		"--batch", "32", "--steps", strconv.Itoa(s.steps), "--warmup", "100", "--lr", "2e-3", "--ema", "0.995", "--dropout", "0",
		"--valid-every", "250", "--valid-sequences", "64", "--save-every", "250", "--log-every", "25", "--seed", "1",
	}, e.options...)
}

// command runs train at the lowest priority, for it takes long.
func (s *settings) command(ctx context.Context, out io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, "nice", append([]string{"-n", "19", s.train}, args...)...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd.Run()
}

// measure evaluates the averaged weights of the last step, once: the answer is kept beside the run.
func (s *settings) measure(ctx context.Context, e experiment, dir string) (result, error) {
	checkpoint := filepath.Join(dir, fmt.Sprintf("step-%08d", s.steps))
	kept := filepath.Join(dir, fmt.Sprintf("eval-%d.jsonl", s.steps))
	if _, err := os.Stat(kept); errors.Is(err, os.ErrNotExist) {
		var said strings.Builder
		args := []string{"eval", "--in", checkpoint, "--data", s.corpus, "--sequences", strconv.Itoa(s.sequences), "--batch", "32", "--draws", "32"}
		if e.name != "ar" {
			args = append(args, "--variance")
		}
		if err := s.command(ctx, &said, args...); err != nil {
			return result{}, err
		}
		if err := os.WriteFile(kept, []byte(said.String()), 0o644); err != nil {
			return result{}, err
		}
	}
	text, err := os.ReadFile(kept)
	if err != nil {
		return result{}, err
	}
	r := result{experiment: e, variance: map[string]float64{}}
	for line := range strings.Lines(string(text)) {
		var said struct {
			NELBO    *float64 `json:"nelbo"`
			StdErr   float64  `json:"std_err"`
			Low      float64  `json:"low"`
			High     float64  `json:"high"`
			Variance float64  `json:"variance"`
		}
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			return r, fmt.Errorf("%s: %w", kept, err)
		}
		if said.NELBO != nil {
			r.nelbo, r.stdErr = *said.NELBO, said.StdErr
		} else {
			r.variance[interval(said.Low, said.High)] = said.Variance
		}
	}
	r.first, err = firstLoss(filepath.Join(dir, "metrics.jsonl"))
	return r, err
}

func interval(low, high float64) string { return fmt.Sprintf("[%.2g, %.2g]", low, high) }

// firstLoss is the training loss of step 1.
func firstLoss(path string) (float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var r struct{ Loss float64 }
	return r.Loss, json.NewDecoder(f).Decode(&r)
}
