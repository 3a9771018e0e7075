package tokenizer

import "container/heap"

// candidate is a possible merge at a position; it is stale once either side has changed.
type candidate struct {
	rank, at    int32
	left, right int32 // the ids it would merge
}

// mergeQueue orders candidates by rank, then position.
type mergeQueue struct {
	heap       []candidate
	prev, next []int32 // neighbours of each position that is still there; -1 at the ends
}

func (q *mergeQueue) Len() int { return len(q.heap) }
func (q *mergeQueue) Less(i, j int) bool {
	a, b := q.heap[i], q.heap[j]
	return a.rank < b.rank || a.rank == b.rank && a.at < b.at
}
func (q *mergeQueue) Swap(i, j int) { q.heap[i], q.heap[j] = q.heap[j], q.heap[i] }
func (q *mergeQueue) Push(x any)    { q.heap = append(q.heap, x.(candidate)) }
func (q *mergeQueue) Pop() any {
	last := q.heap[len(q.heap)-1]
	q.heap = q.heap[:len(q.heap)-1]
	return last
}

// mergeLong does the same as mergeShort in n log n steps, for pieces such as long runs of one
// letter.
func (t *Tokenizer) mergeLong(s *scratch) []int32 {
	ids, q := s.ids, &s.long
	q.heap, q.prev, q.next = q.heap[:0], q.prev[:0], q.next[:0]
	for i := range ids {
		q.prev = append(q.prev, int32(i)-1)
		q.next = append(q.next, int32(i)+1)
	}
	if len(ids) > 0 {
		q.next[len(ids)-1] = -1
	}
	consider := func(at int32) {
		if at < 0 || q.next[at] < 0 {
			return
		}
		left, right := ids[at], ids[q.next[at]]
		if rank, _ := t.rank(left, right); rank != noRank {
			heap.Push(q, candidate{rank, at, left, right})
		}
	}
	for i := range ids {
		consider(int32(i))
	}
	for q.Len() > 0 {
		c := heap.Pop(q).(candidate)
		gone := q.next[c.at]
		if ids[c.at] != c.left || gone < 0 || ids[gone] != c.right {
			continue
		}
		ids[c.at], ids[gone] = t.merges[c.rank].into, -1
		q.next[c.at] = q.next[gone]
		if q.next[gone] >= 0 {
			q.prev[q.next[gone]] = c.at
		}
		consider(q.prev[c.at])
		consider(c.at)
	}
	out := ids[:0]
	for _, id := range ids {
		if id >= 0 {
			out = append(out, id)
		}
	}
	return out
}
