package corpus_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
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

func read(t *testing.T, field string, paths ...string) (docs []string, err error) {
	t.Helper()
	list, err := corpus.Files(paths)
	if err != nil {
		return nil, err
	}
	for _, file := range list {
		if err := corpus.Documents(file, field, func(text string) error { docs = append(docs, text); return nil }); err != nil {
			return docs, err
		}
	}
	return docs, nil
}

func TestEveryFormat(t *testing.T) {
	dir := files(t, map[string]string{
		"b.txt": "one\n\f\ntwo\n", "sub/a.txt": "zero", "skip.md": "no", "empty.txt": "\n\n",
		"c.jsonl": "{\"text\":\"three\\n\",\"id\":1}\n\n{\"id\":2,\"text\":\"f\\u00f6ur\"}",
	})
	type row struct {
		ID   int64  `parquet:"id"`
		Text string `parquet:"text"`
	}
	require.NoError(t, parquet.WriteFile(filepath.Join(dir, "d.parquet"), []row{{1, "five"}, {2, ""}, {3, "six"}}))
	docs, err := read(t, "text", dir)
	require.NoError(t, err)
	require.Equal(t, []string{"zero", "one", "two", "three", "föur", "five", "six"}, docs)
	docs, err = read(t, "text", filepath.Join(dir, "skip.md"))
	require.NoError(t, err)
	require.Equal(t, []string{"no"}, docs, "a file that is named is read as text")
}

func TestRefuses(t *testing.T) {
	dir := files(t, map[string]string{
		"x.txt": "\xff", "y.jsonl": "{\"text\":\"a\"}\n{\"body\":\"b\"}", "z.jsonl": "{\"text\":1}", "w.parquet": "PAR1 no table",
		"u.jsonl": "{", "sub/x.md": "text",
	})
	for name, want := range map[string]string{
		"absent": "absent", "x.txt": "UTF-8", "y.jsonl": `line 2: field "text" holds no text`, "z.jsonl": "line 1",
		"u.jsonl": "line 1", "w.parquet": "w.parquet", "sub": "no text",
	} {
		_, err := read(t, "text", filepath.Join(dir, name))
		require.ErrorContains(t, err, want)
	}
	type row struct{ Body string }
	path := filepath.Join(dir, "t.parquet")
	require.NoError(t, parquet.WriteFile(path, []row{{"a"}}))
	_, err := read(t, "text", path)
	require.ErrorContains(t, err, `column "text" holds no text; the columns are [[Body]]`)
	docs, err := read(t, "Body", path)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, docs)
	stop := errors.New("stop")
	require.ErrorIs(t, corpus.Documents(path, "Body", func(string) error { return stop }), stop)
}

// A document's side depends on its text alone, and about the share asked for is held out.
func TestHeldOut(t *testing.T) {
	held := 0
	for i := range 2000 {
		if corpus.HeldOut(fmt.Sprint("document ", i), 0.1) {
			held++
			require.True(t, corpus.HeldOut(fmt.Sprint("document ", i), 0.2))
		}
	}
	require.InDelta(t, 200, held, 60)
}
