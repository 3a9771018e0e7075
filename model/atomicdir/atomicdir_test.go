package atomicdir

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// write returns a fill function that leaves one file.
func write(text string) func(dir string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o644) }
}

// content lists what is in the parent: nothing but the destination may remain.
func content(t *testing.T, path string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	data, err := os.ReadFile(filepath.Join(path, "file"))
	require.NoError(t, err)
	return string(data)
}

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	require.NoError(t, Write(path, Refuse, write("one")))
	require.Equal(t, "one", content(t, path))
	require.ErrorContains(t, Write(path, Refuse, write("two")), "not empty")
	require.Equal(t, "one", content(t, path))
	require.NoError(t, Write(path, Replace, write("three")))
	require.Equal(t, "three", content(t, path))
}

func TestEmptyFolderIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	require.NoError(t, os.Mkdir(path, 0o755))
	require.NoError(t, Write(path, Refuse, write("one")))
	require.Equal(t, "one", content(t, path))
}

func TestFailureLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	broken := errors.New("broken")
	fail := func(dir string) error {
		require.NoError(t, write("half")(dir))
		return broken
	}
	require.ErrorIs(t, Write(path, Refuse, fail), broken)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Empty(t, entries)

	require.NoError(t, Write(path, Refuse, write("kept")))
	require.ErrorIs(t, Write(path, Replace, fail), broken)
	require.Equal(t, "kept", content(t, path))
}

func TestMissingParent(t *testing.T) {
	require.Error(t, Write(filepath.Join(t.TempDir(), "no", "such", "place"), Refuse, write("x")))
}
