//go:build hf

// Package hf reads every kind of tokenizer.json through Hugging Face's own library (daulet/tokenizers,
// cgo). Importing it registers it with model/tokenizer. It needs libtokenizers.a, which
// scripts/libtokenizers.sh builds, and the build tag hf.
package hf

import (
	"fmt"
	"strings"

	"github.com/daulet/tokenizers"

	"github.com/unmask-lm/unmask/model/tokenizer"
)

func init() {
	tokenizer.RegisterOtherKinds(func(data []byte) (tokenizer.Codec, error) { return New(data) })
}

// Tokenizer is any Hugging Face tokenizer.
type Tokenizer struct {
	t    *tokenizers.Tokenizer
	size int
}

// New reads a tokenizer.json.
func New(data []byte) (*Tokenizer, error) {
	t, err := tokenizers.FromBytes(data)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	return &Tokenizer{t, int(t.VocabSize())}, nil
}

// Encode implements tokenizer.Codec. The library takes C strings, so NUL characters are left out.
func (t *Tokenizer) Encode(text string) []int {
	ids, _ := t.t.Encode(strings.ReplaceAll(tokenizer.ToValid(text), "\x00", ""), false)
	out := make([]int, len(ids))
	for i, id := range ids {
		out[i] = int(id)
	}
	return out
}

// Decode implements tokenizer.Codec.
func (t *Tokenizer) Decode(ids []int) string {
	known := make([]uint32, 0, len(ids))
	for _, id := range ids {
		if id >= 0 && id < t.size {
			known = append(known, uint32(id))
		}
	}
	return t.t.Decode(known, false)
}

// Size implements tokenizer.Codec.
func (t *Tokenizer) Size() int { return t.size }

// ID implements tokenizer.Codec.
func (t *Tokenizer) ID(content string) (int, bool) {
	ids := t.Encode(content)
	if len(ids) != 1 || t.Decode(ids) != content {
		return 0, false
	}
	return ids[0], true
}
