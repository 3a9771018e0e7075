// Package tensor holds the storage types of weights and the pure functions that pack and unpack
// them.
package tensor

import "fmt"

// DType is the storage type of a tensor's values, by its safetensors name.
type DType string

// The types that weights are stored in.
const (
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
)

// Size is the number of bytes of one value, or 0 if the type holds no weights.
func (d DType) Size() int {
	switch d {
	case F32:
		return 4
	case F16, BF16:
		return 2
	}
	return 0
}

// Float32s decodes little-endian values of type d.
func Float32s(d DType, data []byte) ([]float32, error) {
	size := d.Size()
	if size == 0 {
		return nil, fmt.Errorf("dtype %s holds no weights; expected F32, F16 or BF16", d)
	}
	if len(data)%size != 0 {
		return nil, fmt.Errorf("%d bytes are no whole number of %s values", len(data), d)
	}
	out := make([]float32, len(data)/size)
	Decode(d, data, out)
	return out, nil
}
