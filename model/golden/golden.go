// Package golden carries a tiny random BD3-LM in the Hub layout and what the reference implementation
// (kuleshov-group/bd3lms, float32, CPU) computes with it. Only tests import it.
package golden

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model"
)

//go:embed tiny/config.json tiny/model.safetensors cases.json pack
var files embed.FS

// Tolerance is how far float32 implementations may be from the reference: the cases are rounded to
// six digits, and the noise seen between implementations is 1.5e-6.
const Tolerance = 1e-4

// Cases is the content of cases.json.
type Cases struct {
	Config struct {
		Mask int `json:"mask_index"`
	} `json:"config"`
	X0    []int  `json:"x0"` // clean ids, (n)
	Cases []Case `json:"cases"`
}

// Case is what the reference gives for one block size.
type Case struct {
	Block         int         `json:"block_size"`
	XT            []int       `json:"xt"`         // noised ids, (n)
	Logits        [][]float32 `json:"logits"`     // of the noisy rows in the doubled pass, (n, V)
	NLL           []float64   `json:"nll_masked"` // a position, 0 where it is not masked
	NELBOPerBlock []float64   `json:"exact_nelbo_per_block"`
	NELBOPerToken float64     `json:"exact_nelbo_per_token"`
}

// Load reads the cases.
func Load(t testing.TB) Cases {
	t.Helper()
	data, err := files.ReadFile("cases.json")
	require.NoError(t, err)
	var c Cases
	require.NoError(t, json.Unmarshal(data, &c))
	require.Len(t, c.Cases, 5)
	return c
}

// Checkpoint writes the tiny checkpoint to a temporary folder and returns its path.
func Checkpoint(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny")
	require.NoError(t, os.Mkdir(dir, 0o755))
	for _, name := range []string{"config.json", "model.safetensors"} {
		data, err := files.ReadFile("tiny/" + name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
	}
	return dir
}

// Pack opens the checkpoint as convert folds it, with the given block size. A test of convert holds
// the committed pack to the checkpoint.
func Pack(t testing.TB, block int) *model.Pack {
	t.Helper()
	sub, err := fs.Sub(files, "pack")
	require.NoError(t, err)
	p, err := model.Open(context.Background(), model.FS{FS: sub}, nil)
	require.NoError(t, err)
	p.Config.Block, p.Manifest.Block = block, block
	return p
}
