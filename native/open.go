package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	goruntime "runtime"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/cpu/simd"
	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/models"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/session"
)

const maxThreads = 1024

// source is the model and engine that a command was asked to use.
type source struct {
	dir, engine, tile string
	threads           int
}

func (s *source) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.dir, "model", "", "folder of the pack (default: the starter model)")
	c.Flags().StringVar(&s.engine, "engine", "auto", "auto, gpu, cpu or reference (slow, plain and exact)")
	c.Flags().IntVar(&s.threads, "threads", goruntime.NumCPU(), "threads of the cpu engine")
	c.Flags().StringVar(&s.tile, "tile", "", "tile of the GPU's matmuls, such as p4s1l32 (default: measured once on each device)")
}

// pack opens and verifies the model.
func (s *source) pack(ctx context.Context) (*model.Pack, error) {
	if s.dir == "" {
		return model.Open(ctx, model.FS{FS: models.Starter()}, nil)
	}
	return openDir(ctx, s.dir)
}

func openDir(ctx context.Context, dir string) (*model.Pack, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: not a folder; a pack is one", dir)
	}
	p, err := model.Open(ctx, model.Dir(dir), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return p, nil
}

// open opens the model and an engine on it. auto takes the GPU where there is one, not software that
// stands in for it, and otherwise says on standard error why it runs on the CPU.
func (s *source) open(ctx context.Context) (*model.Pack, runtime.Engine, error) {
	switch s.engine {
	case "auto", "gpu", "cpu", "reference":
	default:
		return nil, nil, usage("--engine is %q, expected auto, gpu, cpu or reference", s.engine)
	}
	if s.threads < 1 || s.threads > maxThreads {
		return nil, nil, usage("--threads is %d, expected 1 to %d", s.threads, maxThreads)
	}
	p, err := s.pack(ctx)
	if err != nil {
		return nil, nil, err
	}
	switch s.engine {
	case "reference":
		return p, cpu.New(p), nil
	case "gpu":
		e, err := s.openGPU(ctx, p)
		return p, e, err
	case "auto":
		info, err := gpu.Probe(ctx)
		if err == nil && info.Software {
			err = fmt.Errorf("%s is no GPU", info.Name)
		}
		if err == nil {
			var e *gpu.Engine
			if e, err = s.openGPU(ctx, p); err == nil {
				return p, e, nil
			}
		}
		if errors.Is(err, errUsage) {
			return nil, nil, err
		}
		fmt.Fprintf(os.Stderr, "unmask: %v; running on the CPU\n", err)
	}
	return p, simd.New(p, s.threads), nil
}

// session opens the model, an engine and the tokenizer.
func (s *source) session(ctx context.Context) (*session.Session, error) {
	p, engine, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	return session.New(p, engine)
}
