package tensor

import (
	"encoding/binary"
	"math"
)

// Decode converts little-endian values of type d into out; len(data) must be len(out)*d.Size().
func Decode(d DType, data []byte, out []float32) {
	switch d {
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = HalfToFloat(binary.LittleEndian.Uint16(data[2*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
		}
	}
}

// Encode appends values as little-endian F32 or F16 to dst.
func Encode(d DType, dst []byte, values []float32) []byte {
	for _, v := range values {
		if d == F16 {
			dst = binary.LittleEndian.AppendUint16(dst, FloatToHalf(v))
		} else {
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
		}
	}
	return dst
}
