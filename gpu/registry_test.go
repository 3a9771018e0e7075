//go:build !js

package gpu_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/gpu/shaders"
)

// Every kernel has a twin of the same name in cpu/, an entry in the registry and a test.
func TestEveryKernelHasTwinEntryAndTest(t *testing.T) {
	files, err := filepath.Glob("shaders/*.wgsl")
	require.NoError(t, err)
	var stems []string
	for _, f := range files {
		stem := strings.TrimSuffix(filepath.Base(f), ".wgsl")
		stems = append(stems, stem)
		require.FileExists(t, filepath.Join("..", "cpu", stem+".go"), "the oracle's twin of %s", f)
		require.Contains(t, kernelTests, stem, "the comparison of %s with its twin", f)
	}
	require.ElementsMatch(t, shaders.Names(), stems)
	require.Len(t, kernelTests, len(stems))
}

var wgslFields = regexp.MustCompile(`(?m)^\s+(\w+): (u32|f32),`)

// Host structs and WGSL structs have the same fields, in the same order, of the same types.
func TestUniformLayouts(t *testing.T) {
	for _, c := range []struct {
		file, name string
		value      any
	}{
		{"shaders/lib/pass.wgsl", "Pass", gpu.PassUniform{}},
		{"shaders/lib/dims.wgsl", "Dims", gpu.Dims{}},
		{"shaders/draw.wgsl", "Draw", gpu.DrawInput{}},
		{"shaders/draw.wgsl", "Drawn", gpu.DrawOutput{}},
	} {
		text, err := os.ReadFile(c.file)
		require.NoError(t, err)
		_, body, ok := strings.Cut(string(text), "struct "+c.name+" {")
		require.True(t, ok, c.name)
		body, _, _ = strings.Cut(body, "}")
		var want, got []string
		for _, m := range wgslFields.FindAllStringSubmatch(body, -1) {
			want = append(want, strings.ReplaceAll(m[1], "_", "")+" "+m[2])
		}
		for f := range reflect.TypeOf(c.value).Fields() {
			kind := map[reflect.Kind]string{reflect.Uint32: "u32", reflect.Float32: "f32"}[f.Type.Kind()]
			got = append(got, strings.ToLower(f.Name)+" "+kind)
		}
		require.Equal(t, want, got, c.name)
	}
}

// The workgroup sizes that the plan counts on are those that the kernels declare.
func TestWorkgroupSizes(t *testing.T) {
	size := regexp.MustCompile(`@workgroup_size\((\d+)\)`)
	for _, k := range shaders.All() {
		m := size.FindStringSubmatch(k.Source)
		require.NotNil(t, m, k.Name)
		want := "64"
		if k.Name == "draw" {
			want = "256"
		}
		require.Equal(t, want, m[1], k.Name)
		storage := 0
		for _, b := range k.Bindings {
			if b.Access != shaders.Uniform {
				storage++
			}
		}
		require.LessOrEqual(t, storage, 8, "%s: WebGPU's default limit of storage buffers", k.Name)
	}
}
