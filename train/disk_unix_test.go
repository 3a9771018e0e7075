//go:build unix

package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/train/checkpoint"
)

// A disk that takes no more is said clearly, and what was saved before is kept.
func TestFullDisk(t *testing.T) {
	data, tokenizer := prepare(t)
	dir := filepath.Join(t.TempDir(), "run")
	code, out := run(t, options(data, tokenizer, dir, "--steps", "5")...)
	require.Zero(t, code, out)
	args := options(data, tokenizer, dir)
	cmd := exec.Command("bash", append([]string{"-c", `ulimit -f 40; exec "$@"`, "bash", bin}, args...)...) // 40 blocks of 512 or 1024 bytes
	said, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(said), "file too large")
	require.Contains(t, string(said), "the last checkpoint is kept as it was, "+filepath.Join(dir, "step-00000005"))
	_, err = checkpoint.Load(filepath.Join(dir, "step-00000005"))
	require.NoError(t, err)
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	for _, path := range left {
		require.NotContains(t, filepath.Base(path), "tmp")
	}
}
