package tokenizer

import (
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// class is what the split patterns tell apart: \p{L}, \p{N}, \s and the rest.
type class uint8

const (
	other class = iota
	letter
	number
	space
)

// pages caches the class of 256 characters at a time, filled at first use.
var pages [(unicode.MaxRune + 1) / 256]atomic.Pointer[[256]class]

func classOf(r rune) class {
	page := pages[r>>8].Load()
	if page == nil {
		page = new([256]class)
		for i := range page {
			page[i] = lookupClass(r&^0xff | rune(i))
		}
		pages[r>>8].Store(page)
	}
	return page[r&0xff]
}

func lookupClass(r rune) class {
	switch {
	case unicode.Is(unicode.White_Space, r):
		return space
	case unicode.Is(unicode.L, r):
		return letter
	case unicode.Is(unicode.N, r):
		return number
	}
	return other
}

// decode returns the first character of s with its class and length.
func decode(s string) (rune, class, int) {
	if c := s[0]; c < utf8.RuneSelf {
		return rune(c), classOf(rune(c)), 1
	}
	r, n := utf8.DecodeRuneInString(s)
	return r, classOf(r), n
}

// run is the length of the longest prefix of s whose characters are all of class c.
func run(s string, c class) int {
	n := 0
	for n < len(s) {
		_, k, size := decode(s[n:])
		if k != c {
			break
		}
		n += size
	}
	return n
}
