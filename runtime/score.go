package runtime

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/unmask-lm/unmask/runtime/draw"
)

// exactBlock is the largest block whose masked subsets are all enumerated: 255 passes.
const exactBlock = 8

// scoreSamples is the number of masked subsets drawn for larger blocks.
const scoreSamples = 64

// Scored is the bound on a text's negative log-likelihood.
type Scored struct {
	PerToken []float64 // nats; they add up to the bound
	Exact    bool
	StdErr   float64 // of the sum, where it is not exact
}

// NELBO is the bound in nats.
func (s *Scored) NELBO() float64 {
	var sum float64
	for _, v := range s.PerToken {
		sum += v
	}
	return sum
}

// Score computes the NELBO of tokens block by block (paper, equation 8, at ε → 0). Blocks of up to 8
// tokens are exact, by the identity NELBO = Σ_S w_|S| Σ_{i∈S} NLL_i(S) over the masked subsets S of a
// block, with w_k = (k-1)!(L'-k)!/L'!; larger ones are sampled with the given seed. A text longer than
// the window is scored in strides of half a window, each token once, with all the context that its
// window holds. It forgets what the engine had committed.
func Score(ctx context.Context, engine Engine, tokens []int, seed uint64) (*Scored, error) {
	if len(tokens) == 0 {
		return nil, errors.New("nothing to score: no tokens")
	}
	c := engine.Config()
	window := c.Window / c.Block * c.Block
	stride := max(window/2/c.Block*c.Block, c.Block)
	out := &Scored{PerToken: make([]float64, len(tokens)), Exact: c.Block <= exactBlock}
	var variance float64
	for start, done := 0, 0; done < len(tokens); start += stride {
		if err := engine.Truncate(0); err != nil {
			return nil, err
		}
		if err := engine.Commit(ctx, tokens[start:done]); err != nil {
			return nil, fmt.Errorf("score: %w", err)
		}
		for end := min(start+window, len(tokens)); done < end; {
			next := min(done+c.Block, end)
			v, err := scoreBlock(ctx, engine, tokens[done:next], out.PerToken[done:next], rand.New(rand.NewPCG(seed, uint64(done))))
			if err != nil {
				return nil, fmt.Errorf("score: tokens %d to %d: %w", done, next-1, err)
			}
			variance += v
			if next < end {
				if err := engine.Commit(ctx, tokens[done:next]); err != nil {
					return nil, err
				}
			}
			done = next
		}
	}
	out.StdErr = math.Sqrt(variance)
	return out, nil
}

// scoreBlock adds the bound of one block to perToken and returns its variance.
func scoreBlock(ctx context.Context, engine Engine, block []int, perToken []float64, rng *rand.Rand) (float64, error) {
	n := len(block)
	if engine.Config().Block <= exactBlock {
		for subset := 1; subset < 1<<n; subset++ {
			w := SubsetWeight(bits.OnesCount(uint(subset)), n)
			rows := rowsOf(n, func(i int) bool { return subset>>i&1 == 1 })
			if _, err := addNLL(ctx, engine, block, rows, w, perToken); err != nil {
				return 0, err
			}
		}
		return 0, nil
	}
	var sum, squares float64
	for s := range scoreSamples {
		// k is stratified; a uniform subset of k tokens weighs L'/k, as train/noise derives.
		k := 1 + int((float64(s)+rng.Float64())/scoreSamples*float64(n))
		chosen := rng.Perm(n)[:k]
		mask := make([]bool, n)
		for _, i := range chosen {
			mask[i] = true
		}
		v, err := addNLL(ctx, engine, block, rowsOf(n, func(i int) bool { return mask[i] }), float64(n)/float64(k)/scoreSamples, perToken)
		if err != nil {
			return 0, err
		}
		sum += v * scoreSamples
		squares += v * scoreSamples * v * scoreSamples
	}
	mean := sum / scoreSamples
	return (squares/scoreSamples - mean*mean) / (scoreSamples - 1), nil
}

func rowsOf(n int, masked func(i int) bool) (rows []int) {
	for i := range n {
		if masked(i) {
			rows = append(rows, i)
		}
	}
	return rows
}

// addNLL masks rows of a block and adds weight times each one's NLL to perToken; it returns the sum
// of what it added.
func addNLL(ctx context.Context, engine Engine, block, rows []int, weight float64, perToken []float64) (float64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	canvas := append([]int(nil), block...)
	o := draw.Options{Temperature: 1, TopP: 1}
	for _, row := range rows {
		o.Force = append(o.Force, block[row])
		canvas[row] = engine.Config().Mask
	}
	candidates, err := engine.Denoise(ctx, canvas, rows, o)
	if err != nil {
		return 0, err
	}
	var sum float64
	for _, c := range candidates {
		perToken[c.Row] -= weight * c.LogProb
		sum -= weight * c.LogProb
	}
	return sum, nil
}

// SubsetWeight is w_k = (k-1)!(n-k)!/n!, written 1/(k·C(n,k)).
func SubsetWeight(k, n int) float64 {
	w := 1 / float64(k)
	for i := range k {
		w *= float64(i+1) / float64(n-i)
	}
	return w
}
