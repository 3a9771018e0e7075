package tokenizer

// maxCached bounds the cache of one goroutine's scratch space, in pieces.
const maxCached = 1 << 15

// shortPiece is the length in bytes up to which looking at every pair beats a heap.
const shortPiece = 48

// scratch is what one Encode call works in.
type scratch struct {
	cache map[string][]int32 // ids of pieces seen before
	ids   []int32
	ranks []int32
	long  mergeQueue
}

func (s *scratch) trim() {
	if len(s.cache) > maxCached {
		clear(s.cache)
	}
}

func (t *Tokenizer) encodePiece(s *scratch, piece string, ids []int) []int {
	cached, ok := s.cache[piece]
	if !ok {
		cached = append([]int32(nil), t.merge(s, piece)...)
		if len(piece) <= shortPiece && len(s.cache) <= maxCached {
			s.cache[string([]byte(piece))] = cached
		}
	}
	for _, id := range cached {
		ids = append(ids, int(id))
	}
	return ids
}

// merge applies the merges to the bytes of a piece, lowest rank first, leftmost first among equals.
func (t *Tokenizer) merge(s *scratch, piece string) []int32 {
	if t.ignore {
		if id, ok := t.whole[piece]; ok {
			return append(s.ids[:0], id)
		}
	}
	s.ids = s.ids[:0]
	for i := range len(piece) {
		if id := t.byByte[piece[i]]; id >= 0 { // a byte that is no token is dropped, as in HF without unk
			s.ids = append(s.ids, id)
		}
	}
	if len(piece) > shortPiece {
		return t.mergeLong(s)
	}
	return t.mergeShort(s)
}

const noRank = 1<<31 - 1

func (t *Tokenizer) rank(left, right int32) (rank, into int32) {
	if r, ok := t.ranks[pair{left, right}]; ok {
		return r.rank, r.into
	}
	return noRank, -1
}

// mergeShort rescans the ranks of all neighbours after each merge.
func (t *Tokenizer) mergeShort(s *scratch) []int32 {
	ids, ranks := s.ids, s.ranks[:0]
	for i := 0; i+1 < len(ids); i++ {
		r, _ := t.rank(ids[i], ids[i+1])
		ranks = append(ranks, r)
	}
	for {
		best, at := int32(noRank), -1
		for i, r := range ranks {
			if r < best {
				best, at = r, i
			}
		}
		if at < 0 {
			break
		}
		ids[at] = t.merges[best].into
		ids = append(ids[:at+1], ids[at+2:]...)
		ranks = append(ranks[:at], ranks[at+1:]...)
		if at > 0 {
			ranks[at-1], _ = t.rank(ids[at-1], ids[at])
		}
		if at < len(ranks) {
			ranks[at], _ = t.rank(ids[at], ids[at+1])
		}
	}
	s.ranks = ranks
	return ids
}
