package tokenizer

import (
	"strings"
	"unicode/utf8"
)

const replacement = "\uFFFD"

// ToValid replaces each maximal invalid part of s by U+FFFD, as Rust's from_utf8_lossy and the
// WHATWG decoder do: a truncated sequence counts once, unlike in strings.ToValidUTF8 or range.
func ToValid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r != utf8.RuneError || n > 1 {
			b.WriteString(s[:n])
			s = s[n:]
			continue
		}
		b.WriteString(replacement)
		s = s[truncated(s):]
	}
	return b.String()
}

// truncated is the length of the longest prefix of s that begins a character; at least 1.
func truncated(s string) int {
	low, high, size := byte(0x80), byte(0xbf), 0
	switch c := s[0]; {
	case c >= 0xc2 && c <= 0xdf:
		size = 2
	case c >= 0xe0 && c <= 0xef:
		size = 3
		if c == 0xe0 {
			low = 0xa0 // shorter forms exist
		} else if c == 0xed {
			high = 0x9f // surrogates
		}
	case c >= 0xf0 && c <= 0xf4:
		size = 4
		if c == 0xf0 {
			low = 0x90
		} else if c == 0xf4 {
			high = 0x8f // beyond U+10FFFF
		}
	}
	n := 1
	for n < size && n < len(s) && s[n] >= low && s[n] <= high {
		n++
		low, high = 0x80, 0xbf
	}
	return n
}

// Incomplete is the length in bytes of the U+FFFD that ends decoded text, or 0: it may stand for a
// character that later tokens complete.
func Incomplete(text string) int {
	if strings.HasSuffix(text, replacement) {
		return len(replacement)
	}
	return 0
}
