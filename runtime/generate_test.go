package runtime_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// recorder keeps what it observes.
type recorder struct {
	canvases [][]int
	reveals  []draw.Candidate
	steps    []int
	blocks   [][]int
	fail     error // returned by the first reveal
	onReveal func()
}

func (r *recorder) Canvas(_ int, tokens []int) error {
	r.canvases = append(r.canvases, append([]int(nil), tokens...))
	return nil
}

func (r *recorder) Reveal(_, step int, c draw.Candidate) error {
	r.reveals, r.steps = append(r.reveals, c), append(r.steps, step)
	if r.onReveal != nil {
		r.onReveal()
	}
	return r.fail
}

func (r *recorder) Block(_ int, tokens []int) error {
	r.blocks = append(r.blocks, append([]int(nil), tokens...))
	return nil
}

func request(prompt []int, n int, p policy.Policy) runtime.Request {
	return runtime.Request{Prompt: prompt, MaxTokens: n, Policy: p, Draw: draw.Options{Seed: 1, Temperature: 1, TopP: 1}}
}

// First-hitting takes exactly as many passes as there are masks; the commit of a block rides on the
// next block's first pass.
func TestFirstHittingPasses(t *testing.T) {
	f := newFake(4, 9, 64)
	r := &recorder{}
	result, err := runtime.Generate(context.Background(), f, request([]int{1, 2, 3, 4, 5, 6}, 10, policy.FirstHitting{}), r)
	require.NoError(t, err)
	require.Equal(t, 10, len(result.Tokens))
	require.Equal(t, runtime.ReasonLength, result.Reason)
	require.Equal(t, 2+4+4, result.Passes)
	require.Equal(t, result.Passes, f.passes)
	require.Len(t, r.reveals, 10)
	require.Equal(t, []int{5, 6, 9, 9}, r.canvases[0], "the prompt's rest opens the first block")
	require.Equal(t, []int{1, 2, 3, 4}, f.committed[:4])
	require.Equal(t, append([]int{5, 6}, result.Tokens[:2]...), f.committed[4:8])
}

// The order is uniform: every permutation of three rows comes up a sixth of the time. χ² with 5 degrees
// of freedom; 26 is its 0.0001 quantile from above.
func TestFirstHittingOrderIsUniform(t *testing.T) {
	const n = 6000
	orders := map[[3]int]float64{}
	for seed := range uint64(n) {
		r := &recorder{}
		q := request(nil, 3, policy.FirstHitting{})
		q.Draw.Seed = seed
		_, err := runtime.Generate(context.Background(), newFake(3, 4, 30), q, r)
		require.NoError(t, err)
		orders[[3]int{r.reveals[0].Row, r.reveals[1].Row, r.reveals[2].Row}]++
	}
	require.Len(t, orders, 6)
	chi := 0.
	for _, got := range orders {
		chi += (got - n/6) * (got - n/6) / (n / 6)
	}
	require.Less(t, chi, 26.)
}

func TestPoliciesTakeFewerPasses(t *testing.T) {
	for _, c := range []struct {
		p      policy.Policy
		passes int
	}{{policy.Static{K: 2}, 8}, {policy.Static{K: 4}, 4}, {policy.Confidence{Threshold: 0}, 4}, {policy.Confidence{Threshold: 1}, 16}} {
		r := &recorder{}
		result, err := runtime.Generate(context.Background(), newFake(4, 9, 64), request(nil, 16, c.p), r)
		require.NoError(t, err)
		require.Equal(t, c.passes, result.Passes, "%T", c.p)
		require.Len(t, r.reveals, 16)
	}
}

func TestStopTokenEndsTheText(t *testing.T) {
	f := newFake(4, 5, 64)
	r := &recorder{}
	q := request(nil, 200, policy.FirstHitting{})
	q.Stop = []int{3}
	result, err := runtime.Generate(context.Background(), f, q, r)
	require.NoError(t, err)
	require.Equal(t, runtime.ReasonEOS, result.Reason)
	require.Equal(t, 3, result.Tokens[len(result.Tokens)-1])
	require.NotContains(t, result.Tokens[:len(result.Tokens)-1], 3)
	var all []int
	for _, b := range r.blocks {
		all = append(all, b...)
	}
	require.Equal(t, result.Tokens, all)
}

// A text that repeats itself ends, and loses the part that does.
func TestLowEntropyEndsTheText(t *testing.T) {
	f := newFake(4, 5, 2000)
	f.probs = func(_, _ []int, _ int) []float64 { return []float64{0, 1, 0, 0, 0, 0} }
	q := request(nil, 1000, policy.FirstHitting{})
	q.EntropyStop = 1
	result, err := runtime.Generate(context.Background(), f, q, &recorder{})
	require.NoError(t, err)
	require.Equal(t, runtime.ReasonEntropy, result.Reason)
	require.Len(t, result.Tokens, 260-256)

	lively := request(nil, 600, policy.FirstHitting{})
	lively.EntropyStop = 1
	result, err = runtime.Generate(context.Background(), newFake(4, 50, 2000), lively, &recorder{})
	require.NoError(t, err)
	require.Equal(t, runtime.ReasonLength, result.Reason)
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &recorder{}
	r.onReveal = func() {
		if len(r.reveals) == 10 {
			cancel()
		}
	}
	result, err := runtime.Generate(ctx, newFake(4, 9, 64), request(nil, 100, policy.FirstHitting{}), r)
	require.NoError(t, err)
	require.Equal(t, runtime.ReasonStopped, result.Reason)
	require.Len(t, result.Tokens, 8, "finished blocks are kept")
}

func TestObserverErrorEndsIt(t *testing.T) {
	broken := errors.New("pipe closed")
	_, err := runtime.Generate(context.Background(), newFake(4, 9, 64), request(nil, 10, policy.FirstHitting{}), &recorder{fail: broken})
	require.ErrorIs(t, err, broken)
}

func TestGenerateRefuses(t *testing.T) {
	for want, q := range map[string]runtime.Request{
		"max tokens":  request(nil, 0, policy.FirstHitting{}),
		"prompt":      request([]int{99}, 5, policy.FirstHitting{}),
		"mask":        request([]int{9}, 5, policy.FirstHitting{}),
		"temperature": {MaxTokens: 1, Policy: policy.FirstHitting{}, Draw: draw.Options{Temperature: -1, TopP: 1}},
	} {
		_, err := runtime.Generate(context.Background(), newFake(4, 9, 64), q, &recorder{})
		require.ErrorContains(t, err, want)
	}
}

// Past the window the newest half stays, and every pass is inside it.
func TestWindowSlides(t *testing.T) {
	for _, window := range []int{4, 7, 8, 12, 13} {
		f := newFake(4, 9, window)
		prompt := []int{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5}
		result, err := runtime.Generate(context.Background(), f, request(prompt, 40, policy.FirstHitting{}), &recorder{})
		require.NoError(t, err, "window %d", window)
		require.Len(t, result.Tokens, 40)
		require.LessOrEqual(t, len(f.committed)+4, window)
		text := append(prompt, result.Tokens...)[:52] // the last block, from 52 on, is not committed
		require.Equal(t, text[52-len(f.committed):], append([]int{}, f.committed...), "window %d", window)
	}
}

// Text that stands behind the prompt already stays, what is to be filled in is, and the text goes on
// behind it; every token counts as generated.
func TestCanvas(t *testing.T) {
	const block, vocab, window = 4, 12, 64
	f := newFake(block, vocab, window)
	var seen recorder
	p, err := policy.Parse("first-hitting")
	require.NoError(t, err)
	canvas := []int{3, runtime.Fill, 5, 6, 7, 8, 9, runtime.Fill, 2}
	got, err := runtime.Generate(context.Background(), f, runtime.Request{
		Prompt: []int{1, 2}, Canvas: canvas, MaxTokens: 12, Policy: p, Draw: draw.Options{Seed: 1, Temperature: 1, TopP: 1},
	}, &seen)
	require.NoError(t, err)
	require.Len(t, got.Tokens, 12)
	for i, id := range canvas {
		if id == runtime.Fill {
			require.NotEqual(t, f.c.Mask, got.Tokens[i])
		} else {
			require.Equal(t, id, got.Tokens[i])
		}
	}
	require.Equal(t, []int{1, 2, 3, f.c.Mask}, seen.canvases[0])
	require.Equal(t, []int{5, 6, 7, 8}, seen.canvases[1], "a block with nothing to fill takes no pass")
	require.Equal(t, []int{9, f.c.Mask, 2, f.c.Mask}, seen.canvases[2])
	require.Equal(t, 1+0+2+4, got.Passes)
	require.Len(t, seen.blocks, 4)

	_, err = runtime.Generate(context.Background(), f, runtime.Request{Canvas: []int{99}, MaxTokens: 1, Policy: p, Draw: draw.Options{Temperature: 1, TopP: 1}}, &seen)
	require.ErrorContains(t, err, "canvas: token 0 is 99")
}
