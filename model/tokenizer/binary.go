package tokenizer

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The compact form of a tokenizer: tokenizer.json takes seconds to parse in a browser for a large
// vocabulary. Layout, all numbers unsigned varints:
//
//	magic "UMV1", split kind, flags
//	token count, then per id: length+1 (0: no such id) and bytes
//	merge count, then per rank: left, right, result
//	added count, then per token: id, flags, length and content
const binaryMagic = "UMV1"

const (
	flagNFC = 1 << iota
	flagIgnoreMerges
)

const (
	addedSingleWord = 1 << iota
	addedLStrip
	addedRStrip
	addedNormalized
	addedSpecial
)

// MarshalBinary writes the compact form.
func (t *Tokenizer) MarshalBinary() ([]byte, error) {
	out := append([]byte(binaryMagic), byte(t.split), bitsOf(t.nfc, t.ignore))
	out = binary.AppendUvarint(out, uint64(len(t.tokens)))
	for _, b := range t.tokens {
		if b == nil {
			out = append(out, 0)
			continue
		}
		out = binary.AppendUvarint(out, uint64(len(b))+1)
		out = append(out, b...)
	}
	out = binary.AppendUvarint(out, uint64(len(t.merges)))
	for _, m := range t.merges {
		for _, id := range []int32{m.left, m.right, m.into} {
			out = binary.AppendUvarint(out, uint64(id))
		}
	}
	out = binary.AppendUvarint(out, uint64(len(t.added)))
	for _, a := range t.added {
		out = binary.AppendUvarint(out, uint64(a.ID))
		out = append(out, bitsOf(a.SingleWord, a.LStrip, a.RStrip, a.Normalized, a.Special))
		out = binary.AppendUvarint(out, uint64(len(a.Content)))
		out = append(out, a.Content...)
	}
	return out, nil
}

func bitsOf(flags ...bool) (b byte) {
	for i, on := range flags {
		if on {
			b |= 1 << i
		}
	}
	return b
}

// ParseBinary reads the compact form.
func ParseBinary(data []byte) (*Tokenizer, error) {
	r := reader{data: data}
	if string(r.take(len(binaryMagic))) != binaryMagic {
		return nil, fmt.Errorf("does not start with %q", binaryMagic)
	}
	t := &Tokenizer{split: splitKind(r.byte())}
	if t.split < splitGPT2 || t.split > splitCL100K {
		return nil, fmt.Errorf("unknown split kind %d", t.split)
	}
	flags := r.byte()
	t.nfc, t.ignore = flags&flagNFC != 0, flags&flagIgnoreMerges != 0
	t.tokens = make([][]byte, r.count())
	for i := range t.tokens {
		if n := r.count(); n > 0 {
			t.tokens[i] = r.take(n - 1)
		}
	}
	t.merges = make([]merge, r.count())
	for i := range t.merges {
		t.merges[i] = merge{r.id(len(t.tokens)), r.id(len(t.tokens)), r.id(len(t.tokens))}
	}
	t.added = make([]addedToken, r.count())
	for i := range t.added {
		id, f := int(r.id(maxID)), r.byte()
		t.added[i] = addedToken{
			ID: id, Content: string(r.take(r.count())), SingleWord: f&addedSingleWord != 0, LStrip: f&addedLStrip != 0,
			RStrip: f&addedRStrip != 0, Normalized: f&addedNormalized != 0, Special: f&addedSpecial != 0,
		}
	}
	if r.err == nil && len(r.data) > 0 {
		r.err = fmt.Errorf("%d bytes after the end", len(r.data))
	}
	if r.err != nil {
		return nil, r.err
	}
	return t, t.finish()
}

// reader takes numbers and bytes off data; after the first error it returns zeros.
type reader struct {
	data []byte
	err  error
}

var errShort = errors.New("ends too early")

func (r *reader) take(n int) []byte {
	if n > len(r.data) {
		r.err, r.data = errShort, nil
		return nil
	}
	out := r.data[:n:n]
	r.data = r.data[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.err, r.data = errShort, nil
		return 0
	}
	r.data = r.data[n:]
	return v
}

// count reads the number of things to follow, each at least one byte long.
func (r *reader) count() int {
	v := r.uvarint()
	if v > uint64(len(r.data))+1 {
		r.err, r.data = errShort, nil
		return 0
	}
	return int(v)
}

func (r *reader) id(limit int) int32 {
	v := r.uvarint()
	if r.err == nil && v >= uint64(limit) {
		r.err = fmt.Errorf("id %d, expected less than %d", v, limit)
		return 0
	}
	return int32(v)
}
