package tokenizer

// Byte-level BPE writes every byte as a printable character: those of Latin-1 that print stand for
// themselves, the rest follow from U+0100 on, in order (GPT-2's bytes_to_unicode).
var (
	runeOfByte [256]rune
	byteOfRune = map[rune]byte{}
)

func init() {
	next := rune(0x100)
	for b := range 256 {
		r := rune(b)
		if !(b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae && b <= 0xff) {
			r = next
			next++
		}
		runeOfByte[b] = r
		byteOfRune[r] = byte(b)
	}
}

// tokenBytes reads a token as written in tokenizer.json. One with a character outside the alphabet
// stands for its own UTF-8 bytes.
func tokenBytes(s string) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		b, ok := byteOfRune[r]
		if !ok {
			return []byte(s)
		}
		out = append(out, b)
	}
	return out
}

// tokenText is the inverse of tokenBytes.
func tokenText(b []byte) string {
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = runeOfByte[c]
	}
	return string(out)
}
