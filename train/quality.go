package main

import (
	"context"
	"fmt"
	"math"

	"github.com/spf13/pflag"

	"github.com/unmask-lm/unmask/model/tokenizer"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/train/batch"
	"github.com/unmask-lm/unmask/train/checkpoint"
	"github.com/unmask-lm/unmask/train/loop"
	"github.com/unmask-lm/unmask/train/shards"
)

// sampling are the options of `train eval --samples`.
type sampling struct {
	count, tokens     int
	judge, policy     string
	temperature, topP float64
	texts             bool
}

func (s *sampling) flags(p *pflag.FlagSet) {
	p.IntVar(&s.count, "samples", 0, "texts to write, of seeds 0 to N-1")
	p.IntVar(&s.tokens, "sample-tokens", 200, "tokens of each")
	p.StringVar(&s.policy, "policy", "first-hitting", "reveal policy of the samples")
	p.Float64Var(&s.temperature, "temperature", 1, "temperature of the samples")
	p.Float64Var(&s.topP, "top-p", 0.9, "nucleus of the samples")
	p.StringVar(&s.judge, "judge", "", "checkpoint under which to measure the samples")
	p.BoolVar(&s.texts, "texts", false, "print the samples too")
}

// run writes the texts and measures them.
func (s *sampling) run(ctx context.Context, e *evaluation) error {
	if s.count == 0 {
		return nil
	}
	if e.state.Trainer.Objective == string(loop.Autoregressive) {
		return fmt.Errorf("--samples: %s is autoregressive, and the runtime writes by unmasking", e.path)
	}
	writer, err := newSampler(e.state, e.weights)
	if err != nil {
		return err
	}
	var texts []string
	var entropy float64
	var passes, tokens int
	for seed := range s.count {
		q := protocol.Generate{Seed: uint64(seed), MaxTokens: &s.tokens, Policy: s.policy, Temperature: &s.temperature, TopP: &s.topP}
		done, err := writer.write(ctx, q)
		if err != nil {
			return err
		}
		texts = append(texts, done.Text)
		entropy += runtime.HistogramEntropy(done.Tokens) / float64(s.count)
		passes, tokens = passes+done.Passes, tokens+len(done.Tokens)
		if s.texts {
			if err := say(map[string]any{"seed": seed, "text": done.Text}); err != nil {
				return err
			}
		}
	}
	out := map[string]any{"samples": s.count, "entropy": entropy, "tokens_per_pass": float64(tokens) / float64(max(1, passes)), "tokens": tokens}
	if s.judge != "" {
		ppl, err := s.judged(ctx, e, texts)
		if err != nil {
			return fmt.Errorf("--judge: %w", err)
		}
		out["generative_ppl"] = ppl
	}
	return say(out)
}

// judged is the perplexity of the texts, joined as documents, under the judge.
func (s *sampling) judged(ctx context.Context, e *evaluation, texts []string) (float64, error) {
	path, err := findCheckpoint(s.judge)
	if err != nil {
		return 0, err
	}
	judge, err := checkpoint.Load(path)
	if err != nil {
		return 0, err
	}
	codec, err := tokenizer.Open(judge.Tokenizer)
	if err != nil {
		return 0, fmt.Errorf("%s: tokenizer.json: %w", path, err)
	}
	var ids batch.Memory
	for _, text := range texts {
		for _, id := range codec.Encode(text) {
			ids = append(ids, int32(id))
		}
		ids = append(ids, int32(judge.Trainer.EOS))
	}
	read, err := stream(ids, judge.Config.ModelLength, 0, "the samples")
	if err != nil {
		return 0, err
	}
	text := &vocabularyFile{codec: codec, end: judge.Trainer.EOS}
	v, err := evaluator(e.device, judge, min(e.batch, read.Sequences()), text.byteCounter(shards.Part{}))
	if err != nil {
		return 0, err
	}
	held, err := v.Evaluate(ctx, judge.EMA, read, read.Sequences())
	return math.Exp(held.NELBO), err
}
