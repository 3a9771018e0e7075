package tensor

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Every half widens and narrows to itself.
func TestHalfRoundTrip(t *testing.T) {
	for h := range 1 << 16 {
		f := HalfToFloat(uint16(h))
		if f != f {
			require.True(t, h&0x7c00 == 0x7c00 && h&0x3ff != 0, "%#x", h)
			continue
		}
		require.Equal(t, uint16(h), FloatToHalf(f), "%#x is %v", h, f)
	}
}

func TestHalfValues(t *testing.T) {
	for f, h := range map[float32]uint16{
		0: 0, 1: 0x3c00, -2: 0xc000, 65504: 0x7bff, 65519: 0x7bff, 65520: 0x7c00, 1e9: 0x7c00,
		5.9604645e-08: 1, 2.9802322e-08: 0, 2.9802326e-08: 1, 0.00006097555: 0x03ff, 6.1035156e-05: 0x0400,
		1.00048828125: 0x3c00, 1.0004885: 0x3c01, 1.00146484375: 0x3c02,
	} {
		require.Equal(t, h, FloatToHalf(f), "%v", f)
	}
	require.Equal(t, uint16(0x7e00), FloatToHalf(float32(math.NaN()))&0x7e00)
}

// Narrowing gives the nearest half, ties to even.
func TestFloatToHalfIsNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float32Range(-65504, 65504).Draw(t, "f")
		h := FloatToHalf(f)
		got := math.Abs(float64(HalfToFloat(h)) - float64(f))
		for _, other := range []uint16{h - 1, h + 1} {
			v := float64(HalfToFloat(other))
			if other&0x8000 != h&0x8000 || math.IsNaN(v) || math.IsInf(v, 0) {
				continue
			}
			d := math.Abs(v - float64(f))
			if d < got || d == got && h&1 == 1 {
				t.Fatalf("%v became %v, %v is nearer", f, HalfToFloat(h), v)
			}
		}
	})
}

func TestDecodeEncode(t *testing.T) {
	values := []float32{0, -1.5, 3.25, 65504}
	for _, d := range []DType{F32, F16} {
		data := Encode(d, nil, values)
		require.Len(t, data, d.Size()*len(values))
		got, err := Float32s(d, data)
		require.NoError(t, err)
		require.Equal(t, values, got)
	}
	got, err := Float32s(BF16, []byte{0xc0, 0x3f, 0x80, 0xbf})
	require.NoError(t, err)
	require.Equal(t, []float32{1.5, -1}, got)
	_, err = Float32s(F32, make([]byte, 5))
	require.Error(t, err)
	_, err = Float32s("I64", make([]byte, 8))
	require.ErrorContains(t, err, "I64")
}
