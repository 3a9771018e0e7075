// Package draw is the randomness of sampling: uniforms that depend on a request's seed and a
// coordinate alone, and what is drawn with them.
package draw

import "math/bits"

// orderRow is the coordinate of the uniform that chooses which row to reveal, apart from those that
// choose tokens.
const orderRow = 1<<32 - 1

// Uniform returns the number in (0, 1) at a coordinate: step step of denoising block block, for row
// row of the canvas. It is an odd multiple of 2^-24, which float32 holds exactly; one more bit would round
// up to 1.
func Uniform(seed uint64, block, step, row int) float32 {
	x := philox(seed, uint32(block), uint32(step), uint32(row))
	return unit(x)
}

// unit maps 32 random bits into (0, 1).
func unit(x uint32) float32 { return (float32(x>>9) + 0.5) / (1 << 23) }

// Order returns the uniform that chooses a row at a coordinate.
func Order(seed uint64, block, step int) float32 { return Uniform(seed, block, step, orderRow) }

// philox is Philox4x32-10 (Salmon et al., SC 2011), keyed by the seed; the first word of its output.
func philox(seed uint64, a, b, c uint32) uint32 {
	x := [4]uint32{a, b, c, 0}
	k0, k1 := uint32(seed), uint32(seed>>32)
	for range 10 {
		hi0, lo0 := bits.Mul32(0xd2511f53, x[0])
		hi1, lo1 := bits.Mul32(0xcd9e8d57, x[2])
		x = [4]uint32{hi1 ^ x[1] ^ k0, lo1, hi0 ^ x[3] ^ k1, lo0}
		k0 += 0x9e3779b9
		k1 += 0xbb67ae85
	}
	return x[0]
}
