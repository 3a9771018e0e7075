package model

import (
	"fmt"
	"slices"

	"github.com/unmask-lm/unmask/model/safetensors"
	"github.com/unmask-lm/unmask/model/tensor"
)

// A tensor larger than a shard is stored in parts of whole rows, each a tensor of its own named
// after its first row, so that any safetensors reader opens every file.

// PartName is the name under which the rows of a tensor from row on are stored, if not all at once.
func PartName(name string, row int) string { return fmt.Sprintf("%s.rows.%d", name, row) }

type storedTensor struct {
	safetensors.Entry
	file string
	data []byte
}

// assemble takes the tensor of spec out of stored, whole or in parts.
func assemble(spec TensorSpec, dtype tensor.DType, stored map[string]storedTensor) (Tensor, error) {
	out := Tensor{TensorSpec: spec, DType: dtype}
	take := func(name string) (storedTensor, bool, error) {
		s, ok := stored[name]
		if !ok {
			return s, false, nil
		}
		delete(stored, name)
		if s.DType != dtype {
			return s, true, fmt.Errorf("%s: tensor %q is %s, expected %s", s.file, name, s.DType, dtype)
		}
		return s, true, nil
	}
	whole, ok, err := take(spec.Name)
	if err != nil {
		return out, err
	}
	if ok {
		if !slices.Equal(whole.Shape, spec.Shape) {
			return out, fmt.Errorf("%s: tensor %q has shape %v, expected %v", whole.file, spec.Name, whole.Shape, spec.Shape)
		}
		out.Parts = [][]byte{whole.data}
		return out, nil
	}
	for row := 0; row < spec.Shape[0]; {
		part, ok, err := take(PartName(spec.Name, row))
		if err != nil {
			return out, err
		}
		if !ok && row == 0 {
			return out, fmt.Errorf("tensor %q is missing", spec.Name)
		}
		if !ok {
			return out, fmt.Errorf("tensor %q: its rows from %d on are missing", spec.Name, row)
		}
		want := slices.Clone(spec.Shape)
		if len(part.Shape) > 0 {
			want[0] = part.Shape[0]
		}
		if !slices.Equal(part.Shape, want) || part.Shape[0] < 1 || row+part.Shape[0] > spec.Shape[0] {
			return out, fmt.Errorf("%s: tensor %q has shape %v, expected rows of %v from %d on", part.file, part.Name, part.Shape, spec.Shape, row)
		}
		out.Parts = append(out.Parts, part.data)
		row += part.Shape[0]
	}
	return out, nil
}
