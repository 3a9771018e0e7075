package gpu_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/gpu/device"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/runtime/enginetest"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// watcher keeps the reveals of a generation, and breaks a device in the middle.
type watcher struct {
	reveals []draw.Candidate
	breakAt int
	engine  *gpu.Engine
}

func (*watcher) Canvas(int, []int) error { return nil }
func (*watcher) Block(int, []int) error  { return nil }

func (w *watcher) Reveal(_, _ int, c draw.Candidate) error {
	if w.reveals = append(w.reveals, c); len(w.reveals) == w.breakAt {
		w.engine.Destroy()
	}
	return nil
}

// The device goes away in the middle of a text, inside a block; on another device the text goes on, and
// is the same, reveal by reveal.
func TestDeviceLost(t *testing.T) {
	c := model.Config{Vocab: 120, Hidden: 16, Layers: 2, Heads: 2, Inner: 64, Window: 64, Block: 8, Mask: 119, NormEps: 1e-5, RopeBase: 10000}
	p := enginetest.Random(c, "f16", rand.New(rand.NewPCG(9, 9)))
	for _, name := range []string{"first-hitting", "confidence:0.05"} {
		rule, err := policy.Parse(name)
		require.NoError(t, err)
		request := runtime.Request{Prompt: []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, MaxTokens: 40, Policy: rule, Draw: draw.Options{Seed: 3, Temperature: 1, TopP: 1}}
		var want *watcher
		for _, at := range []int{0, 1, 9, 18} {
			var lost []error
			e, err := gpu.New(context.Background(), p, gpu.Options{Lost: func(err error) { lost = append(lost, err) }})
			require.NoError(t, err)
			w := &watcher{breakAt: at, engine: e}
			_, err = runtime.Generate(context.Background(), e, request, w)
			require.NoError(t, err)
			require.NoError(t, e.Close())
			if at == 0 {
				require.Empty(t, lost)
				want = w
				continue
			}
			require.Len(t, lost, 1, "%s, broken at reveal %d", name, at)
			require.True(t, errors.Is(lost[0], device.ErrLost))
			require.Len(t, w.reveals, len(want.reveals))
			for i := range want.reveals {
				require.Equal(t, want.reveals[i].Row, w.reveals[i].Row)
				require.Equal(t, want.reveals[i].Token, w.reveals[i].Token)
				require.InDelta(t, want.reveals[i].LogProb, w.reveals[i].LogProb, 1e-4)
			}
		}
	}
}

// Scoring goes on as well: the cache is computed again from what was committed.
func TestDeviceLostBetweenCalls(t *testing.T) {
	ctx := context.Background()
	c := model.Config{Vocab: 120, Hidden: 16, Layers: 2, Heads: 2, Inner: 64, Window: 64, Block: 4, Mask: 119, NormEps: 1e-5, RopeBase: 10000}
	p := enginetest.Random(c, "f32", rand.New(rand.NewPCG(9, 9)))
	e, err := gpu.New(ctx, p, gpu.Options{})
	require.NoError(t, err)
	require.NoError(t, e.Commit(ctx, []int{1, 2, 3, 4, 5, 6, 7, 8}))
	want, err := e.Logits(ctx, []int{119, 9, 119, 119})
	require.NoError(t, err)
	e.Destroy()
	require.Equal(t, 8, e.Len())
	got, err := e.Logits(ctx, []int{119, 9, 119, 119})
	require.NoError(t, err)
	require.InDeltaSlice(t, want, got, 1e-5)
	e.Destroy()
	require.NoError(t, e.Commit(ctx, []int{9, 10, 11, 12}))
	require.Equal(t, 12, e.Len())
	require.NoError(t, e.Close())
}
