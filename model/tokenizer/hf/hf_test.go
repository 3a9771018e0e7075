//go:build hf

package hf_test

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/unmask-lm/unmask/model/tokenizer"
	"github.com/unmask-lm/unmask/model/tokenizer/hf"
)

// both opens a tokenizer of testdata by our code and by Hugging Face's.
func both(t testing.TB, name string) (*tokenizer.Tokenizer, *hf.Tokenizer) {
	t.Helper()
	f, err := os.Open("../testdata/" + name + ".json.xz")
	require.NoError(t, err)
	defer f.Close()
	r, err := xz.NewReader(f)
	require.NoError(t, err)
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	ours, err := tokenizer.Parse(data)
	require.NoError(t, err)
	theirs, err := hf.New(data)
	require.NoError(t, err)
	return ours, theirs
}

// seeds are texts of every kind that has gone wrong somewhere.
var seeds = []string{
	"", " ", "  \n\t x", "Hello, world! It's 2024 and we've 1,234.5 things.", "naïve café e\u0301", "日本語テキスト 한국어",
	"👩‍👩‍👧‍👦 emoji 😀😀", "func main() {\n\tfmt.Println(\"hi\")\r\n}\n\n\n", "\xff\xfe broken \xe2\x82", "a\x00b NUL",
	"<|endoftext|> special <|im_start|>", "'S 'Ve 'ſ I'LL don't", "\u1df6\u1df7 \U00010f46", "   ", "\r\n\r\n", "٣٤٥ ½ Ⅷ",
	strings.Repeat("a", 500), strings.Repeat("=-", 60), strings.Repeat("abc", 50) + "!", strings.Repeat("日", 90),
}

// check compares ids and decoded text. The library's C strings end at NUL, so NUL is compared as U+0001.
func check(t *testing.T, ours *tokenizer.Tokenizer, theirs *hf.Tokenizer, text string) {
	t.Helper()
	if strings.Contains(text, "\x00") {
		text = strings.ReplaceAll(text, "\x00", "\x01")
	}
	want, got := theirs.Encode(text), ours.Encode(text)
	require.Equal(t, want, got, "%q", text)
	require.Equal(t, theirs.Decode(want), ours.Decode(got), "%q", text)
	for cut := range got { // intermediate canvases decode parts of characters
		if cut > 20 {
			break
		}
		require.Equal(t, theirs.Decode(want[cut:]), ours.Decode(got[cut:]), "%q from token %d", text, cut)
	}
}

func TestSameAsHuggingFace(t *testing.T) {
	for _, name := range []string{"gpt2", "qwen3"} {
		ours, theirs := both(t, name)
		require.Equal(t, theirs.Size(), ours.Size())
		for _, text := range seeds {
			check(t, ours, theirs, text)
		}
	}
}

// NUL survives a round trip, which the library cannot do.
func TestNUL(t *testing.T) {
	ours, _ := both(t, "gpt2")
	require.Equal(t, "a\x00b\x00", ours.Decode(ours.Encode("a\x00b\x00")))
}

func FuzzSameAsHuggingFace(f *testing.F) {
	for _, text := range seeds {
		f.Add(text)
	}
	gpt2, theirGPT2 := both(f, "gpt2")
	qwen, theirQwen := both(f, "qwen3")
	f.Fuzz(func(t *testing.T, text string) {
		check(t, gpt2, theirGPT2, text)
		check(t, qwen, theirQwen, text)
	})
}

// wordPiece is a tokenizer of another kind, which only this package reads.
func wordPiece(t testing.TB) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"version": "1.0", "added_tokens": []any{}, "normalizer": map[string]any{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": nil, "lowercase": true},
		"pre_tokenizer": map[string]any{"type": "BertPreTokenizer"}, "post_processor": nil,
		"decoder": map[string]any{"type": "WordPiece", "prefix": "##", "cleanup": true},
		"model": map[string]any{
			"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
			"vocab": map[string]int{"[UNK]": 0, "hello": 1, "world": 2, "##s": 3, "[MASK]": 4},
		},
	})
	require.NoError(t, err)
	return text
}

// Importing this package lets tokenizer.Open read other kinds.
func TestOtherKinds(t *testing.T) {
	tok, err := tokenizer.Open(wordPiece(t))
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 3}, tok.Encode("Hello worlds\x00"))
	require.Equal(t, "hello worlds", tok.Decode([]int{1, 2, 3, 99}))
	require.Equal(t, 5, tok.Size())
	id, ok := tok.ID("world")
	require.True(t, ok)
	require.Equal(t, 2, id)
	_, ok = tok.ID("elsewhere")
	require.False(t, ok)
	_, err = tokenizer.Open([]byte(`{"model":{"type":"WordPiece"}}`))
	require.ErrorContains(t, err, "tokenizer.json")
}
