package safetensors

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/unmask-lm/unmask/model/strictjson"
	"github.com/unmask-lm/unmask/model/tensor"
)

// Tensor is one tensor to be written; Data yields its bytes when its turn comes, so that a file
// larger than memory can be written.
type Tensor struct {
	Name  string
	DType tensor.DType
	Shape []int
	Data  func() ([]byte, error)
}

// Bytes is the size of the tensor's data.
func (t Tensor) Bytes() int64 {
	n := int64(t.DType.Size())
	for _, d := range t.Shape {
		n *= int64(d)
	}
	return n
}

// Write writes a file with the tensors in the order given. The header is padded with spaces so
// that the data starts at a multiple of 8 bytes.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	header, err := marshalHeader(tensors, metadata)
	if err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range tensors {
		data, err := t.Data()
		if err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if int64(len(data)) != t.Bytes() {
			return fmt.Errorf("tensor %q: %d bytes of data, shape %v of %s needs %d", t.Name, len(data), t.Shape, t.DType, t.Bytes())
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}

func marshalHeader(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	field := func(name string, value any) error {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		key, err := strictjson.Marshal(name)
		if err != nil {
			return err
		}
		text, err := strictjson.Marshal(value)
		b.Write(key)
		b.WriteByte(':')
		b.Write(text)
		return err
	}
	if len(metadata) > 0 {
		if err := field("__metadata__", metadata); err != nil {
			return nil, err
		}
	}
	var at int64
	seen := map[string]bool{}
	for _, t := range tensors {
		if seen[t.Name] {
			return nil, fmt.Errorf("tensor %q is given twice", t.Name)
		}
		seen[t.Name] = true
		end := at + t.Bytes()
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		err := field(t.Name, map[string]any{"dtype": t.DType, "shape": shape, "data_offsets": []int64{at, end}})
		if err != nil {
			return nil, err
		}
		at = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	return b.Bytes(), nil
}
