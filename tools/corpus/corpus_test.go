package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJoin(t *testing.T) {
	require.Equal(t, "aaaa\n\nbb\n\f\ncc\n", join([]string{"aaaa", "bb", "cc"}, 5))
	require.Equal(t, "a\n\f\nb\n", join([]string{"a", "b"}, 1))
	require.Empty(t, join(nil, 1))
}

func TestUnique(t *testing.T) {
	seen := map[string]bool{}
	require.Equal(t, []string{"a b", "c"}, unique([]string{" a\nb ", "c", "a  b", ""}, seen))
	require.Empty(t, unique([]string{"c"}, seen), "across sources")
}

func TestOSIS(t *testing.T) {
	text := `<title type="main">Heading</title><div sID="1" type="x-p"/>In the <hi>beginning</hi><note n="1">or, first</note> God &amp; co.<div eID="1"/>`
	require.Equal(t, []string{"Heading", "In the beginning God & co."}, unique(osisParagraphs(text), map[string]bool{}))
}

func pack(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// A module of two blocks in one testament, none in the other.
func TestModule(t *testing.T) {
	dir := t.TempDir()
	first, second := pack(t, []byte("one<div/>two")), pack(t, []byte("three"))
	var index []byte
	for _, n := range []int{0, len(first), 12, len(first), len(second), 5} {
		index = binary.LittleEndian.AppendUint32(index, uint32(n))
	}
	for name, data := range map[string][]byte{"ot.bzs": index, "ot.bzz": append(first, second...), "nt.bzs": nil, "nt.bzz": nil} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
	}
	got, err := readModule(dir, "b", 0)
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two", "three"}, got)
	got, err = readModule(dir, "b", 9)
	require.NoError(t, err)
	require.Equal(t, []string{"one"}, got)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ot.bzz"), first[:3], 0o644))
	_, err = readModule(dir, "b", 0)
	require.ErrorContains(t, err, "outside")
}

func TestStringVector(t *testing.T) {
	object := []byte{'X', '\n', 0, 0}
	object = binary.BigEndian.AppendUint32(object, rStrings)
	object = binary.BigEndian.AppendUint32(object, 150)
	for range 150 {
		object = binary.BigEndian.AppendUint32(object, 0x00040009)
		object = binary.BigEndian.AppendUint32(object, 2)
		object = append(object, "ab"...)
	}
	lines, err := stringVector(object)
	require.NoError(t, err)
	require.Len(t, lines, 150)
	require.Equal(t, "ab", lines[149])
	_, err = stringVector(object[:200])
	require.Error(t, err)
}
