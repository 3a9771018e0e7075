package runtime_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// ancestral is the sampler that first-hitting replaces: time runs from 1 to 0 in many steps, and every
// mask stays with probability s/t (BD3-LM, section 2). It returns the block and the times of reveals.
func ancestral(f *fake, rng *rand.Rand, steps int) (canvas []int, times []float64) {
	canvas = make([]int, f.c.Block)
	for i := range canvas {
		canvas[i] = f.c.Mask
	}
	for k := steps; k > 0; k-- {
		t, s := float64(k)/float64(steps), float64(k-1)/float64(steps)
		before := append([]int(nil), canvas...)
		for row, id := range before {
			if id != f.c.Mask || rng.Float64() < s/t {
				continue
			}
			p := f.probs(nil, before, row)
			u, token := rng.Float64(), 0
			for sum := p[0]; sum <= u && token < len(p)-1; sum += p[token] {
				token++
			}
			canvas[row] = token
			times = append(times, t)
		}
	}
	return canvas, times
}

// First-hitting and the ancestral sampler give the same distribution of blocks: a two-sample χ² over
// the 27 blocks of three ternary tokens; 58 is the 0.0003 quantile of 26 degrees of freedom from above.
func TestFirstHittingEqualsAncestral(t *testing.T) {
	const n = 12000
	var hitting, slow [27]float64
	index := func(b []int) int { return b[0]*9 + b[1]*3 + b[2] }
	rng := rand.New(rand.NewPCG(1, 1))
	var ratio [3]float64
	for seed := range uint64(n) {
		f := newFake(3, 3, 30)
		q := request(nil, 3, policy.FirstHitting{})
		q.Draw.Seed = seed
		result, err := runtime.Generate(context.Background(), f, q, &recorder{})
		require.NoError(t, err)
		hitting[index(result.Tokens)]++
		block, times := ancestral(f, rng, 300)
		slow[index(block)]++
		ratio[0] += times[0] / n
		ratio[1] += times[1] / times[0] / n
		ratio[2] += times[2] / times[1] / n
	}
	chi := 0.
	for i := range hitting {
		if sum := hitting[i] + slow[i]; sum > 0 {
			chi += (hitting[i] - slow[i]) * (hitting[i] - slow[i]) / sum
		}
	}
	require.Less(t, chi, 58.)
	// The first reveal among m masks comes at a Beta(m, 1) fraction of the time left: mean m/(m+1).
	for i, want := range []float64{3. / 4, 2. / 3, 1. / 2} {
		require.InDelta(t, want, ratio[i], 4*math.Sqrt(0.1/n)+1./300)
	}
}
