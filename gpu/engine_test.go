package gpu_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/enginetest"
)

// It runs natively, and in Chromium by way of TestInChromium. A missing adapter fails it.
func TestEngine(t *testing.T) {
	enginetest.Run(t, enginetest.Suite{
		Open: func(t testing.TB, p *model.Pack) runtime.Engine {
			e, err := gpu.New(context.Background(), p, gpu.Options{})
			require.NoError(t, err)
			return e
		},
		Oracle: func(p *model.Pack) runtime.Engine { return cpu.New(p) },
	})
}

// A model whose matrices exceed one binding runs all the same, part by part.
func TestSmallBindings(t *testing.T) {
	enginetest.Run(t, enginetest.Suite{
		Open: func(t testing.TB, p *model.Pack) runtime.Engine {
			e, err := gpu.NewWithin(context.Background(), p, 1000)
			require.NoError(t, err)
			return e
		},
		Oracle: func(p *model.Pack) runtime.Engine { return cpu.New(p) },
	})
}
