package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/unmask-lm/unmask/model/tokenizer/nfc"
)

// normalize applies Unicode's normalisation form C as Hugging Face tokenizers does, whose tables
// are older than Go's: characters that those tables lack pass unchanged and join with nothing.
func normalize(s string) string {
	var b strings.Builder
	for start, i := 0, 0; i <= len(s); {
		r, n := utf8.RuneError, 1
		if i < len(s) {
			r, n = utf8.DecodeRuneInString(s[i:])
			if !unicode.Is(inertInNFC, r) {
				i += n
				continue
			}
		}
		b.WriteString(nfc.String(s[start:i]))
		if i < len(s) {
			b.WriteRune(r)
		}
		i += n
		start = i
	}
	return b.String()
}
