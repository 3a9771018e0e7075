package shards_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/train/corpus"
	"github.com/unmask-lm/unmask/train/shards"
)

// runes encodes each character as its code point.
type runes struct{ size int }

func (runes) Encode(text string) (ids []int) {
	for _, r := range text {
		ids = append(ids, int(r))
	}
	return ids
}

func (r runes) Size() int { return r.size }

func recipe(t *testing.T, size int) (shards.Recipe, []string) {
	t.Helper()
	dir := t.TempDir()
	var docs []string
	for i := range 3000 {
		docs = append(docs, fmt.Sprint("document ", i, " ", strings.Repeat("é", i%300)))
	}
	file := filepath.Join(dir, "a.txt")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(docs, "\n\f\n")), 0o644))
	for i, d := range docs {
		docs[i] = strings.TrimSpace(d)
	}
	return shards.Recipe{Files: []string{file}, Field: "text", Tokenizer: []byte("t"), Encoder: runes{size}, End: 7, Held: 0.1}, docs
}

// Tokens are those of the documents in order, whatever their width and the number of processors, and
// documents are whole on their side.
func TestTokens(t *testing.T) {
	for _, size := range []int{1000, 1 << 20} {
		r, docs := recipe(t, size)
		var want [2][]int32
		var bytes [2]int64
		for _, d := range docs {
			side := shards.Train
			if corpus.HeldOut(d, r.Held) {
				side = shards.HeldOut
			}
			for _, c := range d {
				want[side] = append(want[side], c)
			}
			want[side] = append(want[side], 7)
			bytes[side] += int64(len(d))
		}
		s, fresh, err := shards.Open(context.Background(), filepath.Join(t.TempDir(), "s"), r)
		require.NoError(t, err)
		require.True(t, fresh)
		for side, tokens := range []*shards.Tokens{s.Train, s.HeldOut} {
			got := make([]int32, tokens.Len())
			require.NoError(t, tokens.Read(0, got))
			require.Equal(t, want[side], got)
			require.NoError(t, tokens.Read(100, got[:50]))
			require.Equal(t, want[side][100:150], got[:50])
			require.Error(t, tokens.Read(len(got)-10, got[:11]))
			require.Equal(t, bytes[side], s.Parts[side].Bytes)
			require.EqualValues(t, len(got), s.Parts[side].Tokens)
		}
		require.Equal(t, len(docs), s.Parts[shards.Train].Documents+s.Parts[shards.HeldOut].Documents)
		require.NoError(t, s.Close())
	}
}

// Shards are made once, and again where anything changed that they depend on; a touched file alone is no
// change.
func TestReuse(t *testing.T) {
	ctx := context.Background()
	r, _ := recipe(t, 1000)
	dir := filepath.Join(t.TempDir(), "s")
	again := func(change func(r *shards.Recipe)) (bool, string) {
		other := r
		change(&other)
		s, fresh, err := shards.Open(ctx, dir, other)
		require.NoError(t, err)
		defer s.Close()
		return fresh, s.Fingerprint()
	}
	fresh, first := again(func(*shards.Recipe) {})
	require.True(t, fresh)
	fresh, print := again(func(*shards.Recipe) {})
	require.False(t, fresh)
	require.Equal(t, first, print)
	later := time.Now().Add(time.Hour)
	require.NoError(t, os.Chtimes(r.Files[0], later, later))
	fresh, _ = again(func(*shards.Recipe) {})
	require.False(t, fresh)
	for name, change := range map[string]func(r *shards.Recipe){
		"tokenizer": func(r *shards.Recipe) { r.Tokenizer = []byte("u") },
		"end":       func(r *shards.Recipe) { r.End = -1 },
		"fraction":  func(r *shards.Recipe) { r.Held = 0.2 },
	} {
		fresh, _ = again(change)
		require.True(t, fresh, name)
		fresh, _ = again(func(*shards.Recipe) {})
		require.True(t, fresh)
	}
	require.NoError(t, os.Truncate(filepath.Join(dir, "train-00000.bin"), 100))
	fresh, print = again(func(*shards.Recipe) {})
	require.True(t, fresh, "a damaged shard is made anew")
	require.Equal(t, first, print)
	require.NoError(t, os.WriteFile(r.Files[0], []byte("another text"), 0o644))
	fresh, print = again(func(*shards.Recipe) {})
	require.True(t, fresh)
	require.NotEqual(t, first, print)
}

// A text that cannot be read leaves no shards behind.
func TestFailureLeavesNothing(t *testing.T) {
	r, _ := recipe(t, 1000)
	bad := filepath.Join(filepath.Dir(r.Files[0]), "b.jsonl")
	require.NoError(t, os.WriteFile(bad, []byte("{"), 0o644))
	r.Files = append(r.Files, bad)
	dir := t.TempDir()
	_, _, err := shards.Open(context.Background(), filepath.Join(dir, "s"), r)
	require.ErrorContains(t, err, "b.jsonl")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.Files = r.Files[:1]
	_, _, err = shards.Open(ctx, filepath.Join(dir, "s"), r)
	require.ErrorIs(t, err, context.Canceled)
}
