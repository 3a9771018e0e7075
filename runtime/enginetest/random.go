package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// shape draws an architecture: widths that are no multiple of four, odd vocabularies, windows that are
// no multiple of the block among them.
func shape(rng *rand.Rand) model.Config {
	heads := 1 + rng.IntN(4)
	head := 2 * (1 + rng.IntN(20))
	block := 1 + rng.IntN(9)
	vocab := 5 + rng.IntN(300)
	return model.Config{
		ModelType: model.ModelType, Vocab: vocab, Hidden: heads * head, Layers: 1 + rng.IntN(3), Heads: heads,
		Inner: 4 * heads * head, Window: block*(3+rng.IntN(6)) + rng.IntN(block), Block: block, Mask: rng.IntN(vocab),
		NormEps: 1e-5, RopeBase: 10000,
	}
}

// Random makes a pack of architecture c with random weights: matrices of variance 1/in, norms near the
// identity.
func Random(c model.Config, quantization string, rng *rand.Rand) *model.Pack {
	return model.NewPack(c, quantization, func(spec model.TensorSpec) []float32 {
		out := make([]float32, spec.Size())
		for i := range out {
			switch {
			case spec.Matrix():
				out[i] = float32(rng.NormFloat64() / math.Sqrt(float64(spec.Shape[1])))
			case spec.Name[len(spec.Name)-6:] == "weight":
				out[i] = float32(1 + 0.1*rng.NormFloat64())
			default:
				out[i] = float32(0.1 * rng.NormFloat64())
			}
		}
		return out
	})
}

// clean draws n tokens that are not the mask.
func clean(c *model.Config, rng *rand.Rand, n int) []int {
	out := make([]int, n)
	for i := range out {
		for {
			if out[i] = rng.IntN(c.Vocab); out[i] != c.Mask {
				break
			}
		}
	}
	return out
}

// noisy masks about half of tokens.
func noisy(c *model.Config, rng *rand.Rand, tokens []int) []int {
	out := append([]int(nil), tokens...)
	for i := range out {
		if rng.IntN(2) == 0 {
			out[i] = c.Mask
		}
	}
	return out
}

// options draws how a token is drawn.
func options(rng *rand.Rand, vocab int) draw.Options {
	o := draw.Options{Seed: rng.Uint64(), Block: rng.IntN(100), Step: rng.IntN(100), Temperature: 1, TopP: 1}
	switch rng.IntN(5) {
	case 0:
		o.Temperature = 0
	case 1:
		o.TopP = 0.3 + 0.6*rng.Float32()
	case 2:
		o.TopK = 1 + rng.IntN(vocab+2)
	case 3:
		o.Temperature, o.TopP, o.TopK = 0.5+rng.Float32(), 0.9, 1+rng.IntN(vocab)
	}
	return o
}

// each runs f on a number of random shapes, by seed, in both storage types.
func each(t *testing.T, count int, f func(t *testing.T, p *model.Pack, rng *rand.Rand)) {
	for seed := range count {
		for _, quantization := range []string{"f32", "f16"} {
			rng := rand.New(rand.NewPCG(uint64(seed), 7))
			c := shape(rng)
			t.Run(fmt.Sprintf("%d-%s-D%d-V%d-B%d", seed, quantization, c.Hidden, c.Vocab, c.Block), func(t *testing.T) {
				f(t, Random(c, quantization, rng), rng)
			})
		}
	}
}
