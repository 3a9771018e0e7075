package runtime_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/runtime"
)

func nll(f *fake, committed, canvas []int, row, token int) float64 {
	return -math.Log(f.probs(committed, canvas, row)[token])
}

// permutations calls visit with every order of n rows.
func permutations(n int, visit func(order []int)) {
	order := make([]int, 0, n)
	var extend func()
	extend = func() {
		if len(order) == n {
			visit(order)
			return
		}
	next:
		for i := range n {
			for _, j := range order {
				if i == j {
					continue next
				}
			}
			order = append(order, i)
			extend()
			order = order[:len(order)-1]
		}
	}
	extend()
}

// The exact bound is the mean NLL of revealing a block one token at a time, over all orders: what the
// first-hitting sampler pays (BD3-LM facts, section 3.8).
func TestExactEqualsRandomOrder(t *testing.T) {
	for _, block := range []int{1, 2, 3, 4} {
		f := newFake(block, 7, 64)
		tokens := []int{1, 4, 2, 6, 0, 5, 3, 3, 1, 2, 6}
		scored, err := runtime.Score(context.Background(), f, tokens, 0)
		require.NoError(t, err)
		require.True(t, scored.Exact)
		require.Zero(t, scored.StdErr)
		want := 0.
		for at := 0; at < len(tokens); at += block {
			part := tokens[at:min(at+block, len(tokens))]
			orders, sum := 0., 0.
			permutations(len(part), func(order []int) {
				canvas := make([]int, len(part))
				for i := range canvas {
					canvas[i] = f.c.Mask
				}
				for _, row := range order {
					sum += nll(f, tokens[:at], canvas, row, part[row])
					canvas[row] = part[row]
				}
				orders++
			})
			want += sum / orders
		}
		require.InDelta(t, want, scored.NELBO(), 1e-9, "block %d", block)
	}
}

// With blocks of one token it is the autoregressive NLL, query by mask.
func TestBlockOfOneIsAutoregressive(t *testing.T) {
	f := newFake(1, 7, 64)
	tokens := []int{1, 4, 2, 6, 0, 5}
	scored, err := runtime.Score(context.Background(), f, tokens, 0)
	require.NoError(t, err)
	for i, token := range tokens {
		require.InDelta(t, nll(f, tokens[:i], []int{f.c.Mask}, 0, token), scored.PerToken[i], 1e-12)
	}
}

// Large blocks are sampled: within four standard errors of the truth, and the same for the same seed.
func TestSampledScore(t *testing.T) {
	f := newFake(9, 7, 64)
	tokens := []int{1, 4, 2, 6, 0, 5, 3, 3, 1, 2, 6}
	sampled, err := runtime.Score(context.Background(), f, tokens, 5)
	require.NoError(t, err)
	require.False(t, sampled.Exact)
	again, err := runtime.Score(context.Background(), f, tokens, 5)
	require.NoError(t, err)
	require.Equal(t, sampled, again)
	want := 0.
	for _, at := range []int{0, 9} {
		part := tokens[at:min(at+9, len(tokens))]
		for subset := 1; subset < 1<<len(part); subset++ {
			canvas, k := append([]int(nil), part...), 0
			for i := range part {
				if subset>>i&1 == 1 {
					canvas[i] = f.c.Mask
					k++
				}
			}
			for i := range part {
				if subset>>i&1 == 1 {
					want += runtime.SubsetWeight(k, len(part)) * nll(f, tokens[:at], canvas, i, part[i])
				}
			}
		}
	}
	require.InDelta(t, want, sampled.NELBO(), 4*sampled.StdErr)
	require.Greater(t, sampled.StdErr, 0.)
}

// The weights of all subsets that hold one token add up to 1: each token is counted once.
func TestSubsetWeights(t *testing.T) {
	require.InDelta(t, 1./12, runtime.SubsetWeight(2, 4), 1e-15) // 1!·2!/4!
	for n := 1; n <= 12; n++ {
		sum, choose := 0., 1.
		for k := 1; k <= n; k++ {
			sum += runtime.SubsetWeight(k, n) * choose // C(n-1, k-1) subsets hold a given token
			choose = choose * float64(n-k) / float64(k)
		}
		require.InDelta(t, 1, sum, 1e-12)
	}
}

// Beyond the window every token is scored once, with at least half a window of context.
func TestScoreStrides(t *testing.T) {
	f := newFake(2, 7, 9) // four whole blocks
	tokens := make([]int, 25)
	for i := range tokens {
		tokens[i] = i % 7
	}
	scored, err := runtime.Score(context.Background(), f, tokens, 0)
	require.NoError(t, err)
	for at := 8; at < 24; at += 2 {
		context := tokens[(at/4-1)*4 : at] // strides of 4: a window begins 4 or 6 tokens before
		m := f.c.Mask
		both := (nll(f, context, []int{m, m}, 0, tokens[at]) + nll(f, context, []int{m, tokens[at+1]}, 0, tokens[at])) / 2
		require.InDelta(t, both, scored.PerToken[at], 1e-12, "token %d", at)
	}
	_, err = runtime.Score(context.Background(), f, nil, 0)
	require.ErrorContains(t, err, "nothing to score")
}
