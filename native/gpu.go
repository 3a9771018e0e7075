package main

import (
	"context"

	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
)

func openGPU(ctx context.Context, p *model.Pack) (runtime.Engine, error) { return gpu.New(ctx, p) }
