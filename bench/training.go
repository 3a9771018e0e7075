package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// trainingResult is how fast one trainer trains one model.
type trainingResult struct {
	Shape           string  `json:"shape"`
	Trainer         string  `json:"trainer"`
	StepMS          float64 `json:"ms_a_step"`
	TokensPerSecond float64 `json:"tokens_per_second"`
	PeakMB          float64 `json:"peak_rss_mb"`
	MatmulFraction  float64 `json:"fraction_of_matmul,omitempty"` // of the backend's plain matmul rate
	Ratio           float64 `json:"ratio,omitempty"`              // tokens a second, to eager PyTorch's
}

// trainingShape is a model to train; the vocabulary counts the mask.
type trainingShape struct {
	name                                                    string
	vocab, dim, layers, heads, cond, length, block, perStep int
}

var trainingShapes = []trainingShape{
	{"starter", 4096, 192, 4, 6, 32, 256, 4, 8},
	{"5 M", 512, 256, 6, 4, 64, 128, 16, 16},
}

// trainings times steps of `train` and of PyTorch on the same models, one after the other.
func (r *report) trainings(ctx context.Context, peers string) error {
	python := filepath.Join(peers, "torch", "bin", "python")
	for _, s := range trainingShapes {
		ours, err := s.ours(ctx)
		if err != nil {
			return err
		}
		first := len(r.Training)
		r.Training = append(r.Training, ours)
		if _, err := os.Stat(python); err != nil {
			r.skip("PyTorch: %s is missing (scripts/peers.sh torch installs it, 5 GB)", python)
			return nil
		}
		for trainer, flags := range map[string][]string{"PyTorch, eager, SDPA": nil, "PyTorch, torch.compile": {"--compile"}} {
			t, err := s.torch(ctx, python, trainer, flags)
			if err != nil {
				return err
			}
			r.Training = append(r.Training, t)
		}
		s.compare(r.Training[first:])
	}
	return nil
}

// compare sets ratios to eager PyTorch.
func (s *trainingShape) compare(results []trainingResult) {
	for _, base := range results {
		if strings.Contains(base.Trainer, "eager") {
			for i := range results {
				results[i].Ratio = results[i].TokensPerSecond / base.TokensPerSecond
			}
		}
	}
}

func (s *trainingShape) ours(ctx context.Context) (trainingResult, error) {
	dir, err := os.MkdirTemp("", "unmask-training-")
	if err != nil {
		return trainingResult{}, err
	}
	defer os.RemoveAll(dir)
	text, tokenizer := filepath.Join(dir, "text.txt"), filepath.Join(dir, "tokenizer.json")
	if err := os.WriteFile(text, madeUp(), 0o644); err != nil {
		return trainingResult{}, err
	}
	if _, err := command(ctx, "bin/train", "tokenizer", "--data", text, "--vocab", strconv.Itoa(s.vocab-1), "--out", tokenizer); err != nil {
		return trainingResult{}, err
	}
	args := []string{
		"--bench", "--data", text, "--tokenizer", tokenizer, "--out", filepath.Join(dir, "run"), "--shards", filepath.Join(dir, "shards"),
		"--valid-fraction", "0.1", "--dropout", "0",
	}
	for name, value := range map[string]int{
		"hidden": s.dim, "layers": s.layers, "heads": s.heads, "cond": s.cond, "length": s.length, "block": s.block, "batch": s.perStep,
	} {
		args = append(args, "--"+name, strconv.Itoa(value))
	}
	out, err := command(ctx, "bin/train", args...)
	if err != nil {
		return trainingResult{}, err
	}
	t := trainingResult{Shape: s.name, Trainer: "train"}
	return t, json.Unmarshal(out, &t)
}

func (s *trainingShape) torch(ctx context.Context, python, trainer string, flags []string) (trainingResult, error) {
	args := append([]string{"bench/peers/train.py"}, flags...)
	for name, value := range map[string]int{
		"vocab": s.vocab, "dim": s.dim, "layers": s.layers, "heads": s.heads, "cond": s.cond, "length": s.length, "block": s.block, "batch": s.perStep,
	} {
		args = append(args, "--"+name, strconv.Itoa(value))
	}
	out, err := command(ctx, python, args...)
	if err != nil {
		return trainingResult{}, err
	}
	t := trainingResult{Shape: s.name, Trainer: trainer}
	return t, json.Unmarshal(out, &t)
}

// madeUp is text of made-up words with enough pairs for any vocabulary here.
func madeUp() []byte {
	rng := rand.New(rand.NewPCG(3, 3))
	words := make([]string, 20000)
	for i := range words {
		word := make([]byte, 2+rng.IntN(8))
		for j := range word {
			word[j] = byte('a' + rng.IntN(26))
		}
		words[i] = string(word)
	}
	var b strings.Builder
	for range 400 {
		for range 400 {
			b.WriteString(words[rng.IntN(len(words))] + " ")
		}
		b.WriteString("\n\f\n")
	}
	return []byte(b.String())
}

func (r *report) printTraining(w io.Writer) {
	if len(r.Training) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%-10s %-24s %10s %10s %9s %8s %8s\n", "training", "", "ms a step", "tokens/s", "peak MB", "matmul", "x eager")
	for _, t := range r.Training {
		fmt.Fprintf(w, "%-10s %-24s %10.0f %10.0f %9.0f %8s %8s\n", t.Shape, t.Trainer, t.StepMS, t.TokensPerSecond, t.PeakMB,
			orDash(t.MatmulFraction, "%.0f %%", 100), orDash(t.Ratio, "%.2f", 1))
	}
}

func orDash(v float64, format string, scale float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf(format, v*scale)
}
