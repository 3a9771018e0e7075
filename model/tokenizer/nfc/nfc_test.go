package nfc

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestString(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "",
		"plain":                "plain",
		"e\u0301":              "\u00e9",
		"\u00e9":               "\u00e9",
		"a\u0323\u0307":        "\u1ea1\u0307",
		"a\u0307\u0323":        "\u1ea1\u0307", // marks in canonical order
		"\u1100\u1161\u11a8":   "\uac01",       // Hangul
		"\u212b":               "\u00c5",       // a singleton
		"\u0958":               "\u0915\u093c", // excluded from composition
		"A\U0001f600e\u0301 b": "A\U0001f600\u00e9 b",
	} {
		require.Equal(t, want, String(text), "%q", text)
	}
}
