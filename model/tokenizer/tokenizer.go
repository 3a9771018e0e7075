// Package tokenizer turns text into token ids and back, exactly as Hugging Face tokenizers does, for
// every tokenizer.json that is a byte-level BPE: GPT-2's and Qwen's kinds, and those we train.
// The same code runs natively and in the browser. A Tokenizer is safe for concurrent use.
package tokenizer

import (
	"errors"
	"sync"
)

// ErrUnsupported is wrapped by the error for a tokenizer.json of another kind than byte-level BPE.
var ErrUnsupported = errors.New("not a byte-level BPE tokenizer")

// Codec is what every kind of tokenizer offers.
type Codec interface {
	// Encode returns the ids of text. Special tokens written out in text become their ids; none are
	// added. Invalid UTF-8 counts as U+FFFD, one for each maximal invalid part.
	Encode(text string) []int
	// Decode returns the text of ids, special tokens included. Ids that the tokenizer does not have
	// are left out. Bytes that are no UTF-8 become U+FFFD, as in Encode.
	Decode(ids []int) string
	// Size is one more than the largest id.
	Size() int
	// ID finds a token by its content as text, and reports whether there is one.
	ID(content string) (int, bool)
}

// Tokenizer is a byte-level BPE.
type Tokenizer struct {
	split  splitKind
	nfc    bool
	ignore bool // ignore_merges: a piece that is a token as a whole is not merged
	tokens [][]byte
	merges []merge // by rank
	added  []addedToken

	byByte  [256]int32
	ranks   map[pair]ranked
	whole   map[string]int32
	matcher struct{ raw, normalized addedTrie }
	scratch sync.Pool // *scratch
}

type (
	pair   struct{ left, right int32 }
	merge  struct{ left, right, into int32 }
	ranked struct{ rank, into int32 }
)

// index builds the lookup tables from split, tokens, merges and added.
func (t *Tokenizer) index() {
	for i := range t.byByte {
		t.byByte[i] = -1
	}
	t.whole = make(map[string]int32, len(t.tokens))
	for id, b := range t.tokens {
		if b == nil {
			continue
		}
		t.whole[string(b)] = int32(id)
		if len(b) == 1 {
			t.byByte[b[0]] = int32(id)
		}
	}
	t.ranks = make(map[pair]ranked, len(t.merges))
	for rank, m := range t.merges {
		key := pair{m.left, m.right}
		if _, ok := t.ranks[key]; !ok {
			t.ranks[key] = ranked{int32(rank), m.into}
		}
	}
	for _, a := range t.added {
		if a.Normalized {
			a.pattern = a.Content
			if t.nfc {
				a.pattern = normalize(a.Content)
			}
			t.matcher.normalized.add(a)
		} else {
			a.pattern = a.Content
			t.matcher.raw.add(a)
		}
	}
	t.scratch.New = func() any { return &scratch{cache: map[string][]int32{}} }
}

// Size implements Codec.
func (t *Tokenizer) Size() int {
	size := len(t.tokens)
	for _, a := range t.added {
		size = max(size, a.ID+1)
	}
	return size
}

// ID implements Codec.
func (t *Tokenizer) ID(content string) (int, bool) {
	for _, a := range t.added {
		if a.Content == content {
			return a.ID, true
		}
	}
	id, ok := t.whole[content]
	return int(id), ok
}

// Encode implements Codec.
func (t *Tokenizer) Encode(text string) []int {
	s := t.scratch.Get().(*scratch)
	defer t.scratch.Put(s)
	s.trim()
	ids := make([]int, 0, len(text)/3+1)
	t.matcher.raw.split(ToValid(text), func(id int) { ids = append(ids, id) }, func(part string) {
		if t.nfc {
			part = normalize(part)
		}
		t.matcher.normalized.split(part, func(id int) { ids = append(ids, id) }, func(part string) {
			for part != "" {
				n := t.split.next(part)
				ids = t.encodePiece(s, part[:n], ids)
				part = part[n:]
			}
		})
	})
	return ids
}

// Decode implements Codec.
func (t *Tokenizer) Decode(ids []int) string { return ToValid(t.Bytes(ids)) }

// Bytes returns the bytes that ids stand for, before they are read as UTF-8: a token may end in the
// middle of a character.
func (t *Tokenizer) Bytes(ids []int) string {
	var out []byte
	for _, id := range ids {
		out = append(out, t.bytesOf(id)...)
	}
	return string(out)
}

func (t *Tokenizer) bytesOf(id int) []byte {
	if id >= 0 && id < len(t.tokens) && t.tokens[id] != nil {
		return t.tokens[id]
	}
	for _, a := range t.added {
		if a.ID == id {
			return tokenBytes(a.Content)
		}
	}
	return nil
}
