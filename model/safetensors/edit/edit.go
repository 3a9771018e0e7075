// Package edit rewrites the tensors of a safetensors file. Only tests import it.
package edit

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model/safetensors"
)

// File replaces the tensors of the file at path by what change makes of them, and returns the new
// content.
func File(t testing.TB, path string, change func(list []safetensors.Tensor) []safetensors.Tensor) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	header, body, err := safetensors.Split(data)
	require.NoError(t, err)
	var list []safetensors.Tensor
	for _, e := range header.Entries {
		list = append(list, safetensors.Tensor{
			Name: e.Name, DType: e.DType, Shape: e.Shape, Data: func() ([]byte, error) { return body[e.Begin:e.End], nil },
		})
	}
	var b bytes.Buffer
	require.NoError(t, safetensors.Write(&b, change(list), nil))
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
	return b.Bytes()
}
