package noise_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/train/noise"
)

const mask = 99

// One noise level a stratum: with N blocks the i-th is inside the i-th N-th of the interval.
func TestLevelsAreStratified(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	v := noise.Interval{Low: 0.3, High: 0.8}
	levels := make([]float64, 64)
	for range 50 {
		v.Levels(rng, levels)
		for i, level := range levels {
			u := (level - v.Low) / (v.High - v.Low) * 64
			require.True(t, u >= float64(i)-1e-9 && u <= float64(i)+1+1e-9, "block %d: %v", i, level)
			if i > 0 {
				require.Greater(t, level, levels[i-1])
			}
		}
	}
}

// Every schedule masks nothing at first and all at last, and its weight is the derivative of the
// masked share over that share: what makes ∫ weight·masked dt a change of variables.
func TestSchedules(t *testing.T) {
	for _, s := range noise.Schedules {
		require.InDelta(t, 0, s.Masked(1e-9), 2e-3, s)
		require.InDelta(t, 1, s.Masked(1), 1e-9, s)
		for _, at := range []float64{0.01, 0.3, 0.5, 0.9} {
			const h = 1e-6
			slope := (s.Masked(at+h) - s.Masked(at-h)) / (2 * h)
			require.InEpsilon(t, slope/s.Masked(at), s.Weight(at), 1e-4, "%s at %v", s, at)
		}
	}
	require.Equal(t, 4., noise.Linear.Weight(0.25))
}

// Weights are 1 for all where only high noise is trained on, and 1/t from exactly a half down.
func TestWeights(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	_, _, weight := apply(noise.Noiser{Masking: noise.Bernoulli, Interval: noise.Interval{Low: 0.55, High: 1}, Block: 4, Mask: mask}, rng, 50)
	for _, w := range weight {
		require.True(t, w == 0 || w == 1)
	}
	_, _, weight = apply(noise.Noiser{Masking: noise.Bernoulli, Interval: noise.Interval{Low: 0.5, High: 1}, Block: 4, Mask: mask}, rng, 50)
	require.Greater(t, slices.Max(weight), float32(1.5))
}

// The first token of each sequence, and no other, is left alone where that is asked for.
func TestIgnoreFirst(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	n := noise.Noiser{Masking: noise.Bernoulli, Interval: noise.Interval{Low: 1, High: 1}, Block: 4, Mask: mask, IgnoreFirst: 8}
	_, xt, weight := apply(n, rng, 6)
	for i := range xt {
		require.Equal(t, i%8 != 0, xt[i] == mask, i)
		require.Equal(t, i%8 != 0, weight[i] != 0, i)
	}
}

func TestRows(t *testing.T) {
	rows, weights := noise.Rows([]float32{0, 2, 0, 3}, func(int) int { return 3 })
	require.Equal(t, []int32{1, 3, 0}, rows)
	require.Equal(t, []float32{2, 3, 0}, weights)
}

func apply(n noise.Noiser, rng *rand.Rand, blocks int) (x0, xt []int32, weight []float32) {
	x0 = make([]int32, blocks*n.Block)
	for i := range x0 {
		x0[i] = int32(i % 50)
	}
	xt, weight = make([]int32, len(x0)), make([]float32, len(x0))
	n.Apply(rng, x0, xt, weight)
	return x0, xt, weight
}

// Masked tokens have a weight, others pass unchanged without one.
func TestApply(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, m := range []noise.Masking{noise.Bernoulli, noise.Count} {
		x0, xt, weight := apply(noise.Noiser{Masking: m, Interval: noise.Full, Block: 4, Mask: mask}, rng, 200)
		masked := 0
		for i := range x0 {
			if xt[i] == mask {
				masked++
				require.GreaterOrEqual(t, weight[i], float32(1))
			} else {
				require.Equal(t, x0[i], xt[i])
				require.Zero(t, weight[i])
			}
		}
		require.InDelta(t, 0.5, float64(masked)/float64(len(x0)), 0.15)
	}
}

// Resampling keeps every block's masked fraction inside a clipped interval, and only there.
func TestResampling(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, c := range []struct {
		interval noise.Interval
		min, max int // masked tokens of a block of 8
	}{
		{noise.Interval{Low: 0.45, High: 0.95}, 4, 7},
		{noise.Interval{Low: 1e-3, High: 0.5}, 0, 4},
		{noise.Interval{Low: 0.5, High: 1}, 4, 8},
		{noise.Full, 0, 8},
	} {
		n := noise.Noiser{Masking: noise.Bernoulli, Interval: c.interval, Block: 8, Mask: mask}
		require.NoError(t, n.Validate())
		low, high := 8, 0
		for range 20 {
			_, xt, _ := apply(n, rng, 100)
			for b := 0; b < len(xt); b += 8 {
				k := 0
				for _, id := range xt[b : b+8] {
					if id == mask {
						k++
					}
				}
				low, high = min(low, k), max(high, k)
			}
		}
		require.Equal(t, c.min, low, "%v", c.interval)
		require.Equal(t, c.max, high, "%v", c.interval)
	}
	always := noise.Noiser{Masking: noise.Bernoulli, Interval: noise.Interval{Low: 1, High: 1}, Block: 1, Mask: mask}
	require.NoError(t, always.Validate())
	_, xt, weight := apply(always, rng, 50)
	for i := range xt {
		require.EqualValues(t, mask, xt[i])
		require.EqualValues(t, 1, weight[i])
	}
}

// The variance of a block's mean loss where every token costs 1: without resampling it is
// (ln(high/low)/(high-low) - 1)/L' (BD3-LM facts, section 3.8). Where levels are not stratified it
// comes out so; stratified ones can only lower it a little over many blocks.
func TestNoiseVariance(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	const blocks = 400_000
	for _, v := range []noise.Interval{{Low: 0.3, High: 0.8}, {Low: 0.45, High: 0.95}, {Low: 0.5, High: 1}} {
		for _, block := range []int{1, 4, 16} {
			want := v.Variance(block)
			levels := make([]float64, blocks)
			v.Levels(rng, levels)
			var sum, squares float64
			for _, t := range levels {
				mean := 0.
				for range block {
					if rng.Float64() <= t {
						mean += 1 / t / float64(block)
					}
				}
				sum += mean
				squares += mean * mean
			}
			mean := sum / blocks
			require.InDelta(t, 1, mean, 0.02)
			require.InEpsilon(t, want, squares/blocks-mean*mean, 0.03, "%v, block %d", v, block)
		}
	}
	for _, c := range []struct {
		block int
		v     noise.Interval
		want  float64
	}{
		{1, noise.Full, 5.915},
		{4, noise.Interval{Low: 0.45, High: 0.95}, 0.124},
		{16, noise.Interval{Low: 0.3, High: 0.8}, 0.060},
		{128, noise.Interval{Low: 1e-3, High: 0.5}, 0.0895},
		{4, noise.Interval{Low: 0.5, High: 1}, 0.097},
	} {
		require.InEpsilon(t, c.want, c.v.Variance(c.block), 0.01)
	}
}

// Counting masks has the same mean as the paper's masking and less variance.
func TestCountMaskingIsUnbiased(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	// A token costs 1 + 2·(masked others): any function of what is masked will do.
	measure := func(n noise.Noiser) (mean, variance float64) {
		var sum, squares float64
		const rounds, blocks = 200, 400
		for range rounds {
			_, xt, weight := apply(n, rng, blocks)
			for b := 0; b < len(xt); b += 4 {
				k, loss := 0., 0.
				for _, id := range xt[b : b+4] {
					if id == mask {
						k++
					}
				}
				for i := range 4 {
					loss += float64(weight[b+i]) * (1 + 2*(k-1)) / 4
				}
				sum += loss
				squares += loss * loss
			}
		}
		mean = sum / (rounds * blocks)
		return mean, squares/(rounds*blocks) - mean*mean
	}
	paper, paperVariance := measure(noise.Noiser{Masking: noise.Bernoulli, Interval: noise.Full, Block: 4, Mask: mask})
	count, countVariance := measure(noise.Noiser{Masking: noise.Count, Interval: noise.Full, Block: 4, Mask: mask})
	require.InDelta(t, 1+2*1.5, count, 0.02, "k-1 is 1.5 on average over k = 1 … 4")
	require.InDelta(t, paper, count, 0.06)
	require.Less(t, countVariance, paperVariance)
}

// Every k and every position is as likely as any other.
func TestCountMaskingIsUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	n := noise.Noiser{Masking: noise.Count, Interval: noise.Full, Block: 5, Mask: mask}
	var byCount [6]float64
	var byRow [5]float64
	const blocks = 50_000
	_, xt, _ := apply(n, rng, blocks)
	for b := 0; b < len(xt); b += 5 {
		k := 0
		for i, id := range xt[b : b+5] {
			if id == mask {
				k++
				byRow[i]++
			}
		}
		byCount[k]++
	}
	require.Zero(t, byCount[0])
	for k := 1; k <= 5; k++ {
		require.InDelta(t, blocks/5, byCount[k], 1)
	}
	for _, got := range byRow {
		require.InDelta(t, 0.6*blocks, got, 5*math.Sqrt(0.24*blocks))
	}
}

func TestValidate(t *testing.T) {
	good := noise.Noiser{Masking: noise.Bernoulli, Interval: noise.Full, Block: 4, Mask: mask}
	require.NoError(t, good.Validate())
	for want, change := range map[string]func(n *noise.Noiser){
		"unknown masking":   func(n *noise.Noiser) { n.Masking = "all" },
		"expected 0 < low":  func(n *noise.Noiser) { n.Interval.Low = 0 },
		"high ≤ 1":          func(n *noise.Noiser) { n.Interval.High = 1.1 },
		"fraction inside":   func(n *noise.Noiser) { n.Interval = noise.Interval{Low: 0.3, High: 0.45} },
		"takes no interval": func(n *noise.Noiser) { n.Masking, n.Interval = noise.Count, noise.Interval{Low: 0.3, High: 0.8} },
	} {
		n := good
		change(&n)
		require.ErrorContains(t, n.Validate(), want)
	}
}

// The 36 intervals that the paper's search tries.
func TestGrid(t *testing.T) {
	grid := noise.Grid([]float64{0.5, 0.6, 0.7, 0.8, 0.9})
	require.Len(t, grid, 36)
	require.Equal(t, noise.Full, grid[0])
	require.Contains(t, grid, noise.Interval{Low: 0.45, High: 0.95})
	require.Contains(t, grid, noise.Interval{Low: 1e-3, High: 0.5})
	for _, v := range grid {
		require.NoError(t, v.Validate())
	}
	require.Equal(t, []noise.Interval{noise.Full}, noise.Grid(nil))
}
