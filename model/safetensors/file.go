package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/unmask-lm/unmask/model/tensor"
)

// Split separates a whole file held in memory into its checked header and its data section.
func Split(data []byte) (*Header, []byte, error) {
	n, err := headerSize(data, int64(len(data)))
	if err != nil {
		return nil, nil, err
	}
	h, err := ParseHeader(data[8:8+n], int64(len(data))-8-n)
	return h, data[8+n:], err
}

func headerSize(prefix []byte, fileSize int64) (int64, error) {
	if len(prefix) < 8 || fileSize < 8 {
		return 0, fmt.Errorf("%d bytes, too short for a safetensors header", fileSize)
	}
	n := binary.LittleEndian.Uint64(prefix)
	if n > maxHeader {
		return 0, fmt.Errorf("header of %d bytes, at most %d are read", n, maxHeader)
	}
	if int64(n) > fileSize-8 {
		return 0, fmt.Errorf("header of %d bytes in a file of %d", n, fileSize)
	}
	return int64(n), nil
}

// File is an open safetensors file whose tensors are read one at a time.
type File struct {
	*Header
	name   string
	file   *os.File
	start  int64
	byName map[string]Entry
}

// Open reads and checks the header of the file at path.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	out, err := open(path, f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

func open(path string, f *os.File) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var prefix [8]byte
	if _, err := io.ReadFull(f, prefix[:]); err != nil {
		return nil, fmt.Errorf("%d bytes, too short for a safetensors header", info.Size())
	}
	n, err := headerSize(prefix[:], info.Size())
	if err != nil {
		return nil, err
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(f, text); err != nil {
		return nil, err
	}
	h, err := ParseHeader(text, info.Size()-8-n)
	if err != nil {
		return nil, err
	}
	out := &File{Header: h, name: path, file: f, start: 8 + n, byName: map[string]Entry{}}
	for _, e := range h.Entries {
		out.byName[e.Name] = e
	}
	return out, nil
}

// Lookup finds a tensor by name.
func (f *File) Lookup(name string) (Entry, bool) {
	e, ok := f.byName[name]
	return e, ok
}

// Float32s reads a tensor of F32, F16 or BF16 values.
func (f *File) Float32s(name string) ([]float32, error) {
	e, ok := f.byName[name]
	if !ok {
		return nil, fmt.Errorf("%s: no tensor %q", f.name, name)
	}
	data := make([]byte, e.End-e.Begin)
	if _, err := f.file.ReadAt(data, f.start+e.Begin); err != nil {
		return nil, fmt.Errorf("%s: tensor %q: %w", f.name, name, err)
	}
	values, err := tensor.Float32s(e.DType, data)
	if err != nil {
		return nil, fmt.Errorf("%s: tensor %q: %w", f.name, name, err)
	}
	return values, nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }
