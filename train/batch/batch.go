// Package batch cuts a stream of tokens into sequences and deals them out in an order that depends on
// the seed and the step alone, so that training resumes at exactly the batch it stopped before.
package batch

import (
	"fmt"
	"math/rand/v2"
)

// Tokens are what a stream is cut from, such as shards on disk.
type Tokens interface {
	Len() int
	Read(at int, out []int32) error // copies those from number at on
}

// Memory holds tokens in memory.
type Memory []int32

// Len implements Tokens.
func (m Memory) Len() int { return len(m) }

// Read implements Tokens.
func (m Memory) Read(at int, out []int32) error {
	copy(out, m[at:at+len(out)])
	return nil
}

// Stream is a token stream wrapped into sequences of n tokens; the remainder is dropped.
type Stream struct {
	tokens Tokens
	n      int
	seed   uint64

	epoch uint64
	order []int // of the sequences of epoch; nil before the first
}

// New wraps tokens. It refuses a stream shorter than one sequence.
func New(tokens Tokens, n int, seed uint64) (*Stream, error) {
	if tokens.Len() < n {
		return nil, fmt.Errorf("corpus has %d tokens, one sequence needs %d", tokens.Len(), n)
	}
	return &Stream{tokens: tokens, n: n, seed: seed}, nil
}

// Sequences is the number of sequences of an epoch.
func (s *Stream) Sequences() int { return s.tokens.Len() / s.n }

// Sequence copies the i-th sequence in the order of the corpus to out, which has its length.
func (s *Stream) Sequence(i int, out []int32) error { return s.tokens.Read(i*s.n, out) }

// Batch fills out with the sequences of batch number step; len(out) must be a multiple of n. Each
// epoch is a fresh permutation; a batch may span two.
func (s *Stream) Batch(step uint64, out []int32) error {
	size := uint64(len(out) / s.n)
	count := uint64(s.Sequences())
	for i := range size {
		at := step*size + i
		s.shuffle(at / count)
		if err := s.Sequence(s.order[at%count], out[i*uint64(s.n):][:s.n]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stream) shuffle(epoch uint64) {
	if s.order != nil && s.epoch == epoch {
		return
	}
	s.epoch = epoch
	s.order = rand.New(rand.NewPCG(s.seed, epoch)).Perm(s.Sequences())
}
