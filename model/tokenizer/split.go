package tokenizer

import "strings"

// splitKind is a pre-tokeniser: how text is cut into pieces that are merged on their own. The
// patterns need lookahead, which Go's regexp lacks, and speed: each is scanned by hand.
type splitKind uint8

const (
	splitGPT2   splitKind = iota + 1 // gpt2Pattern
	splitQwen                        // qwenPattern: single digits
	splitCL100K                      // cl100kPattern: runs of up to three digits
)

const (
	gpt2Pattern   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	qwenPattern   = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	cl100kPattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

var splitPatterns = map[string]splitKind{
	gpt2Pattern:   splitGPT2,
	qwenPattern:   splitQwen,
	cl100kPattern: splitCL100K,
}

// next is the length of the first piece of s, which must not be empty.
func (k splitKind) next(s string) int {
	if k == splitGPT2 {
		return nextGPT2(s)
	}
	maxDigits := 1
	if k == splitCL100K {
		maxDigits = 3
	}
	return nextQwen(s, maxDigits)
}

func nextGPT2(s string) int {
	if s[0] == '\'' {
		if n := contraction(s); n > 0 {
			return n
		}
	}
	start := 0
	if s[0] == ' ' && len(s) > 1 {
		start = 1
	}
	if _, c, n := decode(s[start:]); c != space {
		return start + n + run(s[start+n:], c)
	}
	return whitespace(s)
}

func nextQwen(s string, maxDigits int) int {
	if s[0] == '\'' {
		if n := foldedContraction(s); n > 0 {
			return n
		}
	}
	first, c, n := decode(s)
	if c == letter {
		return n + run(s[n:], letter)
	}
	if c == number {
		for digits := 1; digits < maxDigits && n < len(s); digits++ {
			_, c, size := decode(s[n:])
			if c != number {
				break
			}
			n += size
		}
		return n
	}
	if first != '\r' && first != '\n' {
		if letters := run(s[n:], letter); letters > 0 {
			return n + letters
		}
	}
	start := 0
	if first == ' ' {
		start = 1
	}
	if symbols := run(s[start:], other); symbols > 0 {
		end := start + symbols
		for end < len(s) && (s[end] == '\r' || s[end] == '\n') {
			end++
		}
		return end
	}
	spaces := s[:run(s, space)]
	if i := strings.LastIndexAny(spaces, "\r\n"); i >= 0 {
		return i + 1
	}
	return whitespace(s)
}

// whitespace matches \s+(?!\S)|\s+ : all of a run of white space that ends the text, all but its
// last character otherwise, unless it has only one.
func whitespace(s string) int {
	n, last := 0, 0
	for n < len(s) {
		_, c, size := decode(s[n:])
		if c != space {
			break
		}
		last = size
		n += size
	}
	if n == len(s) || n == last {
		return n
	}
	return n - last
}

func contraction(s string) int {
	if len(s) >= 3 {
		switch s[1:3] {
		case "re", "ve", "ll":
			return 3
		}
	}
	if len(s) >= 2 {
		switch s[1] {
		case 's', 't', 'm', 'd':
			return 2
		}
	}
	return 0
}

// foldedContraction ignores case; under simple folding U+017F, the long s, is an s.
func foldedContraction(s string) int {
	if strings.HasPrefix(s[1:], "ſ") {
		return 1 + len("ſ")
	}
	return contraction(strings.ToLower(s[:min(len(s), 3)]))
}
