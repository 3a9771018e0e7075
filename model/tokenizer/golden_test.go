package tokenizer_test

import (
	"encoding/json"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/unmask-lm/unmask/model/tokenizer"
)

// readXZ unpacks a file of testdata.
func readXZ(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	require.NoError(t, err)
	defer f.Close()
	r, err := xz.NewReader(f)
	require.NoError(t, err)
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	return data
}

func load(t testing.TB, name string) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.Parse(readXZ(t, name+".json.xz"))
	require.NoError(t, err)
	return tok
}

// golden holds texts and the ids that Hugging Face tokenizers gives for them.
type golden struct {
	Text  []string
	GPT2  [][]int
	Qwen3 [][]int
}

func loadGolden(t testing.TB) golden {
	t.Helper()
	var g golden
	require.NoError(t, json.Unmarshal(readXZ(t, "cases.json.xz"), &g))
	require.NotEmpty(t, g.Text)
	return g
}

func TestGolden(t *testing.T) {
	g := loadGolden(t)
	for name, want := range map[string][][]int{"gpt2": g.GPT2, "qwen3": g.Qwen3} {
		t.Run(name, func(t *testing.T) {
			parsed := load(t, name)
			binary, err := parsed.MarshalBinary()
			require.NoError(t, err)
			compact, err := tokenizer.ParseBinary(binary)
			require.NoError(t, err)
			wrong := 0
			for i, text := range g.Text {
				got := parsed.Encode(text)
				require.Equal(t, got, compact.Encode(text), "the compact form differs on %q", text)
				if !equal(want[i], got) {
					if wrong++; wrong <= 10 {
						t.Errorf("case %d %q:\n got  %v\n want %v", i, text, got, want[i])
					}
				}
			}
			require.Zero(t, wrong, "of %d cases", len(g.Text))
		})
	}
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
