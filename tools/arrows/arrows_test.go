package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Planted violations are found, and what the project does is not one.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		room, path string
		refused    bool
	}{
		{"model", "os", false},
		{"model", "net/http", true},
		{"model/tokenizer", "C", true},
		{"model/tokenizer", Module + "/model/strictjson", false},
		{"model", Module + "/runtime", true},
		{"model/tokenizer", "golang.org/x/text/unicode/norm", false},
		{"runtime", Module + "/gpu", true},
		{"runtime", "syscall/js", true},
		{"runtime/policy", Module + "/runtime/draw", false},
		{"cpu", Module + "/gpu", true},
		{"gpu", Module + "/cpu", true},
		{"gpu", "github.com/cogentcore/webgpu/wgpu", true},
		{"gpu/device", "github.com/cogentcore/webgpu/wgpu", false},
		{"gpu/device", Module + "/model", true},
		{"gpu/shaders", Module + "/gpu/record", true},
		{"train/noise", "github.com/gomlx/gomlx/core/graph", true},
		{"train/network", "github.com/gomlx/gomlx/core/graph", false},
		{"native", Module + "/train", true},
		{"elsewhere", "os", true},
	} {
		got := check(pkg{ImportPath: Module + "/" + c.room, Imports: []string{c.path}})
		require.Equal(t, c.refused, len(got) > 0, "%s imports %s: %v", c.room, c.path, got)
	}
}
