package corpus_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/train/corpus"
)

func files(t *testing.T, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range content {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

func TestRead(t *testing.T) {
	dir := files(t, map[string]string{"b.txt": "one\n\f\ntwo\n", "sub/a.txt": "zero", "skip.md": "no", "empty.txt": "\n\n"})
	docs, err := corpus.Read([]string{dir})
	require.NoError(t, err)
	require.Equal(t, []corpus.Document{{"zero", "a.txt"}, {"one", "b.txt"}, {"two", "b.txt"}}, docs)
	require.EqualValues(t, 10, corpus.Bytes(docs))

	_, err = corpus.Read([]string{filepath.Join(dir, "absent")})
	require.ErrorContains(t, err, "absent")
	_, err = corpus.Read([]string{files(t, map[string]string{"x.txt": "\xff"})})
	require.ErrorContains(t, err, "UTF-8")
	_, err = corpus.Read([]string{files(t, map[string]string{"x.md": "text"})})
	require.ErrorContains(t, err, "no text")
}

// A document's side depends on its text alone.
func TestSplit(t *testing.T) {
	var docs []corpus.Document
	for i := range 2000 {
		docs = append(docs, corpus.Document{Text: fmt.Sprint("document ", i)})
	}
	train, valid := corpus.Split(docs, 0.1)
	require.Len(t, append(train, valid...), 2000)
	require.InDelta(t, 200, len(valid), 60)
	_, again := corpus.Split(docs[:1000], 0.1)
	require.Equal(t, valid[:len(again)], again)
}

// bytes encodes each byte as its value.
type bytes struct{}

func (bytes) Encode(text string) (ids []int) {
	for _, b := range []byte(text) {
		ids = append(ids, int(b))
	}
	return ids
}

func TestTokens(t *testing.T) {
	docs := []corpus.Document{{Text: "ab"}, {Text: "c"}}
	require.Equal(t, []int32{'a', 'b', 300, 'c', 300}, corpus.Tokens(docs, bytes{}, 300))
	require.Equal(t, []int32{'a', 'b', 'c'}, corpus.Tokens(docs, bytes{}, -1))
	var many []corpus.Document
	for i := range 500 {
		many = append(many, corpus.Document{Text: strings.Repeat(string(rune('a'+i%26)), i)})
	}
	got, at := corpus.Tokens(many, bytes{}, 0), 0
	for i := range 500 {
		for range i {
			require.EqualValues(t, 'a'+i%26, got[at])
			at++
		}
		at++
	}
	require.Len(t, got, at)
}
