package tokenizer_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/unmask-lm/unmask/model/tokenizer"
)

// Lossy decoding replaces each maximal invalid part once, as Rust's from_utf8_lossy does.
func TestToValid(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                    "plain",
		"\xff":                     "\uFFFD",
		"a\xffb":                   "a\uFFFDb",
		"\xe2\x82":                 "\uFFFD", // a truncated €
		"\xe2\x82x":                "\uFFFDx",
		"\xf0\x9f\x98":             "\uFFFD", // a truncated emoji
		"\xf0\x9f\x98\xe2\x82\xac": "\uFFFD€",
		"\xe0\x80":                 "\uFFFD\uFFFD",       // overlong
		"\xed\xa0\x80":             "\uFFFD\uFFFD\uFFFD", // a surrogate
		"\xf4\x90\x80\x80":         "\uFFFD\uFFFD\uFFFD\uFFFD",
		"\xc0\xaf":                 "\uFFFD\uFFFD",
		"\x80\x80":                 "\uFFFD\uFFFD",
		"\xc3":                     "\uFFFD",
	} {
		require.Equal(t, want, tokenizer.ToValid(in), "%q", in)
	}
}

// Text comes back from its ids, whatever it is.
func TestRoundTrip(t *testing.T) {
	gpt2, qwen := load(t, "gpt2"), load(t, "qwen3")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string {
			return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		}), rapid.StringMatching(`[ \t\r\n'a-z0-9.é€😀]{0,40}`)).Draw(t, "text")
		valid := tokenizer.ToValid(text)
		if got := gpt2.Decode(gpt2.Encode(text)); got != valid {
			t.Fatalf("%q became %q", text, got)
		}
		// Qwen's normaliser composes; what it gives is stable.
		once := qwen.Decode(qwen.Encode(text))
		if twice := qwen.Decode(qwen.Encode(once)); twice != once {
			t.Fatalf("%q became %q and then %q", text, once, twice)
		}
	})
}

func TestSpecialTokens(t *testing.T) {
	gpt2 := load(t, "gpt2")
	require.Equal(t, []int{15496, 50256, 6894}, gpt2.Encode("Hello<|endoftext|>world"))
	require.Equal(t, "Hello<|endoftext|>world", gpt2.Decode([]int{15496, 50256, 6894}))
	id, ok := gpt2.ID("<|endoftext|>")
	require.True(t, ok)
	require.Equal(t, 50256, id)
	require.Equal(t, 50257, gpt2.Size())
	require.Equal(t, "", gpt2.Decode([]int{50257, -1, 1 << 30}), "ids it does not have are left out")
	require.Empty(t, gpt2.Encode(""))
}

// Long pieces take another path to the same tokens.
func TestLongPieces(t *testing.T) {
	gpt2 := load(t, "gpt2")
	for _, text := range []string{strings.Repeat("a", 5000), strings.Repeat(" ", 3001), strings.Repeat("ab", 999), strings.Repeat("=-", 40)} {
		ids := gpt2.Encode(text)
		require.Equal(t, text, gpt2.Decode(ids))
		require.LessOrEqual(t, len(ids), len(text))
	}
}

func TestConcurrentUse(t *testing.T) {
	gpt2 := load(t, "gpt2")
	g := loadGolden(t)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < len(g.Text); i += 8 {
				if !equal(g.GPT2[i], gpt2.Encode(g.Text[i])) {
					t.Errorf("case %d differs", i)
				}
			}
		})
	}
	wg.Wait()
}

// alter parses a tokenizer.json after a change.
func alter(t *testing.T, change func(file map[string]any)) error {
	t.Helper()
	text, err := tokenizer.MarshalGPT2(bytesAsTokens(), nil, "<|end|>")
	require.NoError(t, err)
	var file map[string]any
	require.NoError(t, json.Unmarshal(text, &file))
	change(file)
	text, err = json.Marshal(file)
	require.NoError(t, err)
	_, err = tokenizer.Parse(text)
	return err
}

func bytesAsTokens() []string {
	tokens := make([]string, 256)
	for b := range tokens {
		tokens[b] = string([]byte{byte(b)})
	}
	return tokens
}

// Other kinds are refused by name, damaged files with what is wrong.
func TestParseRefuses(t *testing.T) {
	require.NoError(t, alter(t, func(map[string]any) {}))
	model := func(f map[string]any) map[string]any { return f["model"].(map[string]any) }
	for want, change := range map[string]func(f map[string]any){
		`"WordPiece"`:        func(f map[string]any) { model(f)["type"] = "WordPiece" },
		`"Unigram"`:          func(f map[string]any) { f["model"] = map[string]any{"type": "Unigram", "vocab": []any{}} },
		`"Lowercase"`:        func(f map[string]any) { f["normalizer"] = map[string]any{"type": "Lowercase"} },
		`"BertPreTokenizer"`: func(f map[string]any) { f["pre_tokenizer"] = map[string]any{"type": "BertPreTokenizer"} },
		`decoder`:            func(f map[string]any) { f["decoder"] = nil },
		`byte_fallback`:      func(f map[string]any) { model(f)["byte_fallback"] = true },
		`add_prefix_space`:   func(f map[string]any) { f["pre_tokenizer"].(map[string]any)["add_prefix_space"] = true },
	} {
		err := alter(t, change)
		require.ErrorIs(t, err, tokenizer.ErrUnsupported, want)
		require.ErrorContains(t, err, want)
	}
	for want, change := range map[string]func(f map[string]any){
		"not in vocab":   func(f map[string]any) { model(f)["merges"] = []any{"a zz"} },
		"no pair":        func(f map[string]any) { model(f)["merges"] = []any{"a"} },
		"is given to":    func(f map[string]any) { model(f)["vocab"].(map[string]any)["aa"] = 5 },
		"has id -1":      func(f map[string]any) { model(f)["vocab"].(map[string]any)["aa"] = -1 },
		"ids up to":      func(f map[string]any) { model(f)["vocab"].(map[string]any)["aa"] = 1 << 20 },
		"model: missing": func(f map[string]any) { delete(f, "model") },
	} {
		require.ErrorContains(t, alter(t, change), want)
	}
}

func FuzzParse(f *testing.F) {
	text, err := tokenizer.MarshalGPT2(append(bytesAsTokens(), "hi"), [][2]int{{104, 105}}, "<|end|>")
	require.NoError(f, err)
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) {
		if tok, err := tokenizer.Parse(data); err == nil {
			tok.Decode(tok.Encode("some text, 12 €"))
		}
	})
}

func FuzzParseBinary(f *testing.F) {
	text, err := tokenizer.MarshalGPT2(append(bytesAsTokens(), "hi"), [][2]int{{104, 105}}, "<|end|>")
	require.NoError(f, err)
	tok, err := tokenizer.Parse(text)
	require.NoError(f, err)
	data, err := tok.MarshalBinary()
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := tokenizer.ParseBinary(data)
		if err != nil {
			return
		}
		tok.Decode(tok.Encode("some text, 12 €"))
		again, err := tok.MarshalBinary()
		require.NoError(t, err)
		_, err = tokenizer.ParseBinary(again)
		require.NoError(t, err)
	})
}

// Three bytes, one character: text that ends inside it is known to be incomplete.
func TestIncomplete(t *testing.T) {
	require.Equal(t, 0, tokenizer.Incomplete("fine"))
	require.Equal(t, 3, tokenizer.Incomplete(tokenizer.ToValid("fine \xe2\x82")))
}
