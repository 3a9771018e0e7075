// Package segments makes a WebAssembly module of Go's linker smaller. The linker leaves out runs of
// zeros in the data, and so cuts its tables into tens of thousands of pieces whose headers compress
// worse than the zeros. Joined again, a compressor sees the tables' regularity: the compressed module
// is a tenth smaller, and means the same.
package segments

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const (
	header      = 8 // magic and version
	dataSection = 11
	maxGap      = 64 // zeros that are written out rather than left out
)

var errTruncated = errors.New("the module ends too early")

// Join returns the module with neighbouring data segments joined.
func Join(module []byte) ([]byte, error) {
	if len(module) < header || string(module[:4]) != "\x00asm" {
		return nil, errors.New("no WebAssembly module")
	}
	out := append([]byte(nil), module[:header]...)
	r := reader{data: module[header:]}
	for len(r.data) > 0 {
		id := r.bytes(1)
		body := r.bytes(r.unsigned())
		if r.err != nil {
			return nil, r.err
		}
		if id[0] == dataSection {
			list, err := read(body)
			if err != nil {
				return nil, fmt.Errorf("data section: %w", err)
			}
			body = write(join(list))
		}
		out = append(out, id[0])
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
	}
	return out, nil
}

// segment is what memory holds from an address on when the module starts.
type segment struct {
	at   int
	data []byte
}

// Codes of an active segment of memory 0 and of the expression that is its address.
const (
	active   = 0x00
	i32Const = 0x41
	end      = 0x0b
)

func read(body []byte) ([]segment, error) {
	r := reader{data: body}
	list := make([]segment, 0, 1024)
	for range r.unsigned() {
		mode := r.bytes(2)
		s := segment{at: r.signed()}
		last := r.bytes(1)
		s.data = r.bytes(r.unsigned())
		if r.err != nil {
			return nil, r.err
		}
		if mode[0] != active || mode[1] != i32Const || last[0] != end {
			return nil, fmt.Errorf("segment %d is not placed at a constant address", len(list))
		}
		list = append(list, s)
	}
	return list, nil
}

// join leaves the list alone where segments overlap, for then their order counts.
func join(list []segment) []segment {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b segment) int { return cmp.Compare(a.at, b.at) })
	var out []segment
	for _, s := range sorted {
		if n := len(out); n > 0 {
			last := &out[n-1]
			gap := s.at - last.at - len(last.data)
			if gap < 0 {
				return list
			}
			if gap <= maxGap {
				last.data = append(append(last.data, make([]byte, gap)...), s.data...)
				continue
			}
		}
		out = append(out, segment{s.at, slices.Clone(s.data)})
	}
	return out
}

func write(list []segment) []byte {
	body := binary.AppendUvarint(nil, uint64(len(list)))
	for _, s := range list {
		body = appendSigned(append(body, active, i32Const), s.at)
		body = binary.AppendUvarint(append(body, end), uint64(len(s.data)))
		body = append(body, s.data...)
	}
	return body
}

// reader takes data apart; after an error it yields zeros.
type reader struct {
	data []byte
	err  error
}

func (r *reader) bytes(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.data) {
		r.err = errTruncated
		return make([]byte, 2)
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) unsigned() int {
	v, n := binary.Uvarint(r.data)
	if n <= 0 || v > 1<<32 {
		r.err = errTruncated
		return 0
	}
	r.data = r.data[n:]
	return int(v)
}

// signed reads an LEB128 number of 32 bits.
func (r *reader) signed() int {
	v := int64(0)
	for shift := 0; shift < 35; shift += 7 {
		b := r.bytes(1)[0]
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if b&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return int(uint32(v)) // an address counts from 0
		}
	}
	r.err = errTruncated
	return 0
}

func appendSigned(b []byte, v int) []byte {
	for n := int64(int32(uint32(v))); ; n >>= 7 {
		c := byte(n & 0x7f)
		if rest := n >> 6; rest == 0 || rest == -1 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
