package tokenizer_test

import (
	"strings"
	"testing"
)

func BenchmarkEncode(b *testing.B) {
	all := strings.Join(loadGolden(b).Text, "\n")
	for _, name := range []string{"gpt2", "qwen3"} {
		b.Run(name, func(b *testing.B) {
			tok := load(b, name)
			b.SetBytes(int64(len(all)))
			for b.Loop() {
				tok.Encode(all)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	tok := load(b, "gpt2")
	ids := tok.Encode(strings.Join(loadGolden(b).Text, "\n"))
	for b.Loop() {
		tok.Decode(ids)
	}
}
