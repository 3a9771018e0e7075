package tensor

import "math"

// HalfToFloat widens an IEEE 754 binary16 value, exactly.
func HalfToFloat(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp := uint32(h>>10) & 0x1f
	frac := uint32(h & 0x3ff)
	switch exp {
	case 0: // zero and subnormals: frac * 2^-24
		v := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// FloatToHalf narrows to IEEE 754 binary16, rounding to nearest, ties to even; values beyond
// ±65504 become infinite.
func FloatToHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits>>16) & 0x8000
	mag := bits & 0x7fffffff
	switch {
	case mag > 0x7f800000: // NaN, kept quiet
		return sign | 0x7e00
	case mag >= 0x477ff000: // rounds to 2^16 or more
		return sign | 0x7c00
	case mag < 0x38800000: // below 2^-14: the addition rounds at 2^-24, the step of subnormals
		return sign | uint16(math.Float32bits(math.Float32frombits(mag)+0.5)-0x3f000000)
	}
	// Rebias the exponent by -112 and add half a unit in the last place, minus one if that bit is even.
	mag += 0xc8000fff + (mag>>13)&1
	return sign | uint16(mag>>13)
}
