package draw

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Philox4x32-10 on the all-zero counter and key, from the known answers of Random123.
func TestPhiloxKnownAnswer(t *testing.T) {
	require.Equal(t, uint32(0x6627e8d5), philox(0, 0, 0, 0))
}

// A uniform is strictly inside (0, 1), and the same whenever it is asked for.
func TestUniform(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		block, step, row := rapid.IntRange(0, 1e6).Draw(t, "block"), rapid.IntRange(0, 1e4).Draw(t, "step"), rapid.IntRange(0, 1e4).Draw(t, "row")
		u := Uniform(seed, block, step, row)
		if !(u > 0 && u < 1) || u != Uniform(seed, block, step, row) {
			t.Fatalf("%v", u)
		}
	})
}

// The ends stay inside, and steps are even.
func TestUnit(t *testing.T) {
	require.Equal(t, float32(1)/(1<<24), unit(0))
	require.Equal(t, 1-float32(1)/(1<<24), unit(1<<32-1))
	require.Less(t, unit(1<<32-1), float32(1))
	require.Equal(t, float32(1)/(1<<23), unit(1<<31+1<<9)-unit(1<<31))
}

// Every coordinate counts, and uniforms are uniform: χ² over 16 cells, 15 degrees of freedom; 44 is
// its 0.0001 quantile from above.
func TestUniformity(t *testing.T) {
	const n = 16000
	for name, at := range map[string]func(i int) float32{
		"seed":  func(i int) float32 { return Uniform(uint64(i), 0, 0, 0) },
		"block": func(i int) float32 { return Uniform(1, i, 0, 0) },
		"step":  func(i int) float32 { return Uniform(1, 0, i, 0) },
		"row":   func(i int) float32 { return Uniform(1, 0, 0, i) },
		"order": func(i int) float32 { return Order(1, i, i) },
		"high":  func(i int) float32 { return Uniform(uint64(i)<<32, 0, 0, 0) },
	} {
		var cells [16]float64
		for i := range n {
			cells[int(at(i)*16)]++
		}
		chi := 0.
		for _, c := range cells {
			chi += (c - n/16) * (c - n/16) / (n / 16)
		}
		require.Less(t, chi, 44., name)
	}
}

func TestValidate(t *testing.T) {
	require.NoError(t, (&Options{Temperature: 0, TopP: 1}).Validate())
	for want, o := range map[string]Options{
		"temperature": {Temperature: -1, TopP: 1},
		"top-p":       {Temperature: 1},
		"top-k":       {Temperature: 1, TopP: 1, TopK: -1},
	} {
		require.ErrorContains(t, o.Validate(), want)
	}
}
