// Package batch cuts a stream of tokens into sequences and deals them out in an order that depends on
// the seed and the step alone, so that training resumes at exactly the batch it stopped before.
package batch

import (
	"fmt"
	"math/rand/v2"
)

// Stream is a token stream wrapped into sequences of n tokens; the remainder is dropped.
type Stream struct {
	tokens []int32
	n      int
	seed   uint64

	epoch uint64
	order []int // of the sequences of epoch; nil before the first
}

// New wraps tokens. It refuses a stream shorter than one sequence.
func New(tokens []int32, n int, seed uint64) (*Stream, error) {
	if len(tokens) < n {
		return nil, fmt.Errorf("corpus has %d tokens, one sequence needs %d", len(tokens), n)
	}
	return &Stream{tokens: tokens, n: n, seed: seed}, nil
}

// Sequences is the number of sequences of an epoch.
func (s *Stream) Sequences() int { return len(s.tokens) / s.n }

// Sequence returns the i-th sequence in the order of the corpus. The caller must not change it.
func (s *Stream) Sequence(i int) []int32 { return s.tokens[i*s.n : (i+1)*s.n] }

// Batch fills out with the sequences of batch number step; len(out) must be a multiple of n. Each
// epoch is a fresh permutation; a batch may span two.
func (s *Stream) Batch(step uint64, out []int32) {
	size := uint64(len(out) / s.n)
	count := uint64(s.Sequences())
	for i := range size {
		at := step*size + i
		s.shuffle(at / count)
		copy(out[i*uint64(s.n):], s.Sequence(s.order[at%count]))
	}
}

func (s *Stream) shuffle(epoch uint64) {
	if s.order != nil && s.epoch == epoch {
		return
	}
	s.epoch = epoch
	s.order = rand.New(rand.NewPCG(s.seed, epoch)).Perm(s.Sequences())
}
