// Package safetensors reads and writes the safetensors format by its strictest rules: a bounded
// header that starts with '{', no duplicate keys, and tensors that cover the data section exactly
// once, without holes or overlap. Every size is checked against the file before anything is
// allocated for it.
package safetensors

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/unmask-lm/unmask/model/strictjson"
	"github.com/unmask-lm/unmask/model/tensor"
)

const (
	maxHeader  = 100 << 20 // the format's own bound
	maxDims    = 8
	maxDecimal = 19 // digits of the largest int64
)

// dtypeBytes lists every type of the format, since a file may hold tensors that we skip.
var dtypeBytes = map[string]int64{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1,
	"U16": 2, "I16": 2, "F16": 2, "BF16": 2,
	"U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}

// Entry describes one tensor of a file.
type Entry struct {
	Name       string
	DType      tensor.DType
	Shape      []int
	Begin, End int64 // byte range inside the data section
}

// Header is the table of contents of a file.
type Header struct {
	Entries  []Entry // by Begin
	Metadata map[string]string
	Size     int64 // of the data section, in bytes
}

type wireEntry struct {
	DType   string              `json:"dtype"`
	Shape   []strictjson.Number `json:"shape"`
	Offsets []strictjson.Number `json:"data_offsets"`
}

// ParseHeader validates a file's JSON header against the size of the data section that follows it.
func ParseHeader(text []byte, dataSize int64) (*Header, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New("header does not start with '{'")
	}
	var raw map[string]strictjson.Raw
	if err := strictjson.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	h := &Header{Size: dataSize}
	for name, value := range raw {
		if name == "__metadata__" {
			if err := strictjson.Unmarshal(value, &h.Metadata); err != nil {
				return nil, fmt.Errorf("header: __metadata__: %w", err)
			}
			continue
		}
		entry, err := parseEntry(name, value)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		h.Entries = append(h.Entries, entry)
	}
	slices.SortFunc(h.Entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.End, b.End), strings.Compare(a.Name, b.Name))
	})
	return h, h.checkCoverage()
}

func (h *Header) checkCoverage() error {
	var at int64
	for _, e := range h.Entries {
		if e.Begin != at {
			return fmt.Errorf("tensor %q: starts at byte %d of the data, expected %d: tensors must follow each other without holes or overlap", e.Name, e.Begin, at)
		}
		if e.End > h.Size {
			return fmt.Errorf("tensor %q: ends at byte %d of the data, which has only %d", e.Name, e.End, h.Size)
		}
		at = e.End
	}
	if at != h.Size {
		return fmt.Errorf("data section has %d bytes, tensors cover %d", h.Size, at)
	}
	return nil
}

func parseEntry(name string, value []byte) (Entry, error) {
	var w wireEntry
	if err := strictjson.Unmarshal(value, &w); err != nil {
		return Entry{}, err
	}
	width, ok := dtypeBytes[w.DType]
	if !ok {
		return Entry{}, fmt.Errorf("unknown dtype %q", w.DType)
	}
	if len(w.Shape) > maxDims {
		return Entry{}, fmt.Errorf("shape has %d dimensions, at most %d are read", len(w.Shape), maxDims)
	}
	e := Entry{Name: name, DType: tensor.DType(w.DType), Shape: make([]int, len(w.Shape))}
	size := uint64(width)
	for i, dim := range w.Shape {
		n, err := parseSize(dim)
		if err != nil {
			return Entry{}, fmt.Errorf("shape: %w", err)
		}
		hi, lo := bits.Mul64(size, uint64(n))
		if hi != 0 || lo > 1<<62 {
			return Entry{}, fmt.Errorf("shape %v overflows", w.Shape)
		}
		e.Shape[i], size = int(n), lo
	}
	if len(w.Offsets) != 2 {
		return Entry{}, fmt.Errorf("data_offsets has %d numbers, expected 2", len(w.Offsets))
	}
	var err error
	if e.Begin, err = parseSize(w.Offsets[0]); err != nil {
		return Entry{}, fmt.Errorf("data_offsets: %w", err)
	}
	if e.End, err = parseSize(w.Offsets[1]); err != nil {
		return Entry{}, fmt.Errorf("data_offsets: %w", err)
	}
	if e.End < e.Begin || uint64(e.End-e.Begin) != size {
		return Entry{}, fmt.Errorf("data_offsets [%d, %d] span %d bytes, shape %v of %s needs %d", e.Begin, e.End, e.End-e.Begin, e.Shape, e.DType, size)
	}
	return e, nil
}

// parseSize accepts plain decimal digits only: no sign, fraction or exponent.
func parseSize(n strictjson.Number) (int64, error) {
	s := string(n)
	if s == "" || len(s) > maxDecimal || strings.Trim(s, "0123456789") != "" {
		return 0, fmt.Errorf("%q is no size", s)
	}
	return strconv.ParseInt(s, 10, 64)
}
