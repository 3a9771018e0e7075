//go:build !js

package gpu_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/gpu/shaders"
)

var sourceLine = regexp.MustCompile(`Source: ([^\n]*(?:\n//[^\n]*)*)`)

// Every kernel names the oracle's files that it computes, and has an entry in the registry and a test.
func TestEveryKernelHasTwinEntryAndTest(t *testing.T) {
	files, err := filepath.Glob("shaders/*.wgsl")
	require.NoError(t, err)
	var stems []string
	for _, f := range files {
		stem := strings.TrimSuffix(filepath.Base(f), ".wgsl")
		stems = append(stems, stem)
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		m := sourceLine.FindStringSubmatch(string(text))
		require.NotNil(t, m, "%s names no source", f)
		twins := regexp.MustCompile(`[a-z]+(?:/[a-z]+)+(?:\.go)?`).FindAllString(m[1], -1)
		require.NotEmpty(t, twins, f)
		for _, twin := range twins {
			_, err := os.Stat(filepath.Join("..", twin))
			require.NoError(t, err, f)
		}
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
		{"shaders/lib/drawn.wgsl", "Drawn", gpu.DrawOutput{}},
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

// Every variant stays within WebGPU's default limits: 8 storage buffers a stage, 256 invocations and
// 16 KiB of memory a workgroup.
func TestDefaultLimits(t *testing.T) {
	size := regexp.MustCompile(`@workgroup_size\((\d+)\)`)
	shared := regexp.MustCompile(`(?m)^var<workgroup> \w+: (?:array<)?(vec4<f32>|f32|u32)(?:, (\w+)>)?;`)
	for _, k := range everyVariant() {
		m := size.FindStringSubmatch(k.Source)
		require.NotNil(t, m, k.Name)
		invocations, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		require.LessOrEqual(t, invocations, 256, k.Name)
		storage, memory := 0, 0
		for _, b := range k.Bindings {
			if b.Access != shaders.Uniform {
				storage++
			}
		}
		require.LessOrEqual(t, storage, 8, k.Name)
		for _, m := range shared.FindAllStringSubmatch(k.Source, -1) {
			count := 1
			if m[2] != "" {
				count = evaluate(t, k.Source, m[2])
			}
			memory += count * map[string]int{"vec4<f32>": 16, "f32": 4, "u32": 4}[m[1]]
		}
		require.Equal(t, strings.Count(k.Source, "var<workgroup>"), len(shared.FindAllString(k.Source, -1)), k.Name)
		require.LessOrEqual(t, memory, 16384, k.Name)
	}
}

// evaluate finds the value of a constant, or of a product of two, in a shader.
func evaluate(t *testing.T, source, name string) int {
	t.Helper()
	product := 1
	for _, factor := range strings.Split(name, " * ") {
		factor = strings.TrimSuffix(factor, "u")
		if n, err := strconv.Atoi(factor); err == nil {
			product *= n
			continue
		}
		m := regexp.MustCompile(`(?m)^const ` + factor + ` = ([^;]+);`).FindStringSubmatch(source)
		require.NotNil(t, m, factor)
		product *= evaluate(t, source, m[1])
	}
	return product
}

// everyVariant expands every kernel in every way that does not need a feature of the device.
func everyVariant() (out []shaders.Kernel) {
	seen := map[string]bool{}
	for _, name := range shaders.Names() {
		for _, weights := range []string{shaders.F32, shaders.F16, shaders.Native} {
			for _, tile := range shaders.Tiles {
				for _, quads := range []int{1, 2, 3, 5, 8, 16, 20, 24, 32, 64} {
					k := shaders.Build(name, weights, tile, quads)
					if !seen[k.Name] {
						seen[k.Name] = true
						out = append(out, k)
					}
				}
			}
		}
	}
	return out
}
