// Package vocabulary learns a byte-level BPE from text: the most frequent neighbouring pair becomes a
// token, again and again, inside the pieces that GPT-2's split pattern cuts.
package vocabulary

import (
	"container/heap"
	"fmt"
	"strings"

	"github.com/unmask-lm/unmask/model/tokenizer"
)

// EndOfText is the special token between documents.
const EndOfText = "<|endoftext|>"

// Learn builds a tokenizer.json with size tokens: the 256 bytes, merges, and EndOfText last.
func Learn(texts []string, size int) ([]byte, error) {
	if size < 257 {
		return nil, fmt.Errorf("vocabulary of %d, expected at least 257: every byte and %s", size, EndOfText)
	}
	l := newLearner(texts)
	tokens := make([]string, 256, size)
	for b := range tokens {
		tokens[b] = string([]byte{byte(b)})
	}
	var merges [][2]int
	for len(tokens) < size-1 {
		p, ok := l.best()
		if !ok {
			return nil, fmt.Errorf("text has only %d pairs worth a token, %d were asked for; use a smaller vocabulary or more text", len(merges), size-257)
		}
		l.merge(p, int32(len(tokens)))
		merges = append(merges, [2]int{int(p.left), int(p.right)})
		tokens = append(tokens, tokens[p.left]+tokens[p.right])
	}
	return tokenizer.MarshalGPT2(tokens, merges, EndOfText)
}

type pair struct{ left, right int32 }

// word is a distinct piece of the text, as tokens, and how often it occurs.
type word struct {
	ids   []int32
	count int
}

// entry is a pair in the queue; its count may have fallen since.
type entry struct {
	pair
	count int
}

type queue []entry

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	if a.count != b.count {
		return a.count > b.count
	}
	return a.left < b.left || a.left == b.left && a.right < b.right
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(entry)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

type learner struct {
	words  []word
	counts map[pair]int
	where  map[pair]map[int]struct{} // words that may hold the pair
	queue  queue
}

func newLearner(texts []string) *learner {
	seen := map[string]int{}
	for _, text := range texts {
		for piece := range tokenizer.SplitGPT2(text) {
			if n, ok := seen[piece]; ok {
				seen[piece] = n + 1
			} else {
				seen[strings.Clone(piece)] = 1
			}
		}
	}
	l := &learner{counts: map[pair]int{}, where: map[pair]map[int]struct{}{}}
	for piece, count := range seen {
		ids := make([]int32, len(piece))
		for i := range len(piece) {
			ids[i] = int32(piece[i])
		}
		l.words = append(l.words, word{ids, count})
	}
	for i := range l.words {
		l.count(i, 1)
	}
	for p, n := range l.counts {
		l.queue = append(l.queue, entry{p, n})
	}
	heap.Init(&l.queue)
	return l
}

// count adds sign times the pairs of word i.
func (l *learner) count(i, sign int) {
	w := l.words[i]
	for j := 0; j+1 < len(w.ids); j++ {
		p := pair{w.ids[j], w.ids[j+1]}
		l.counts[p] += sign * w.count
		if sign > 0 {
			if l.where[p] == nil {
				l.where[p] = map[int]struct{}{}
			}
			l.where[p][i] = struct{}{}
		}
	}
}

// best is the most frequent pair; the lower ids win a tie, so that the result does not depend on the
// order of a map.
func (l *learner) best() (pair, bool) {
	for l.queue.Len() > 0 {
		e := heap.Pop(&l.queue).(entry)
		now := l.counts[e.pair]
		if now == e.count && now > 1 {
			return e.pair, true
		}
		if now > 1 {
			heap.Push(&l.queue, entry{e.pair, now})
		}
	}
	return pair{}, false
}

// merge replaces the pair by a new token in every word that holds it.
func (l *learner) merge(p pair, into int32) {
	changed := map[pair]struct{}{}
	for i := range l.where[p] {
		l.count(i, -1)
		ids := l.words[i].ids
		out := ids[:0]
		for j := 0; j < len(ids); j++ {
			if j+1 < len(ids) && ids[j] == p.left && ids[j+1] == p.right {
				out = append(out, into)
				j++
			} else {
				out = append(out, ids[j])
			}
		}
		l.words[i].ids = out
		l.count(i, 1)
		for j := 0; j+1 < len(out); j++ {
			if out[j] == into || out[j+1] == into {
				changed[pair{out[j], out[j+1]}] = struct{}{}
			}
		}
	}
	delete(l.counts, p)
	delete(l.where, p)
	for c := range changed {
		heap.Push(&l.queue, entry{c, l.counts[c]})
	}
}
