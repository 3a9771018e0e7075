package main

import (
	"context"
	"runtime"

	"github.com/unmask-lm/unmask/cpu/simd"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/fold"
	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/runtime/session"
	"github.com/unmask-lm/unmask/train/checkpoint"
	"github.com/unmask-lm/unmask/train/network"
)

// sampler writes texts with a checkpoint's averaged weights, through the runtime that users run.
type sampler struct {
	*session.Session
	engine *simd.Engine
}

func newSampler(s *checkpoint.State, weights []float32) (*sampler, error) {
	layout := network.NewLayout(&s.Config)
	folded := fold.Fold(&s.Config, layout.Slices(weights))
	p := model.NewPack(s.Config.Folded(s.Trainer.Mask), "f32", func(spec model.TensorSpec) []float32 { return folded[spec.Name] })
	p.Tokenizer = s.Tokenizer
	p.Manifest.BOS, p.Manifest.EOS = s.Trainer.EOS, s.Trainer.EOS
	p.Manifest.Sampling = model.Sampling{Policy: "first-hitting", Temperature: 1, TopP: 0.9, MaxTokens: 100}
	engine := simd.New(p, runtime.GOMAXPROCS(0))
	joined, err := session.New(p, engine)
	return &sampler{joined, engine}, err
}

// write returns the end of a generation.
func (s *sampler) write(ctx context.Context, q protocol.Generate) (done protocol.Done, err error) {
	err = s.Generate(ctx, q, func(event any) error {
		if last, ok := event.(protocol.Done); ok {
			done = last
		}
		return nil
	})
	return done, err
}

// sampleOf is a loop.Run's Sample.
func sampleOf(ctx context.Context, s *checkpoint.State) func(weights []float32) (string, error) {
	return func(weights []float32) (string, error) {
		writer, err := newSampler(s, weights)
		if err != nil {
			return "", err
		}
		done, err := writer.write(ctx, protocol.Generate{Seed: 1})
		return done.Text, err
	}
}
