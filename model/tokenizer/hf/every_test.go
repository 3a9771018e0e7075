//go:build hf

package hf_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// Every character of Unicode, between letters, digits, spaces and marks, gives Hugging Face's ids: the
// classes of the split patterns and the tables of normalisation agree.
func TestEveryCharacter(t *testing.T) {
	for _, name := range []string{"gpt2", "qwen3"} {
		ours, theirs := both(t, name)
		around := func(r rune) string {
			c := string(r)
			return "a" + c + "b1" + c + "2 " + c + ". " + c + c + "\u0301\n"
		}
		const run = 256
		var wrong []rune
		for first := rune(1); first <= utf8.MaxRune; first += run {
			var b strings.Builder
			for r := first; r < first+run && r <= utf8.MaxRune; r++ {
				if utf8.ValidRune(r) {
					b.WriteString(around(r))
				}
			}
			if slices.Equal(theirs.Encode(b.String()), ours.Encode(b.String())) {
				continue
			}
			for r := first; r < first+run && r <= utf8.MaxRune; r++ {
				if utf8.ValidRune(r) && !slices.Equal(theirs.Encode(around(r)), ours.Encode(around(r))) {
					wrong = append(wrong, r)
				}
			}
		}
		require.Empty(t, wrong, "%s: %d characters: %U", name, len(wrong), wrong)
	}
}
