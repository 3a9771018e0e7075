package gpu_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/gpu/device"
	"github.com/unmask-lm/unmask/gpu/shaders"
)

// Both shader compilers, naga natively and Tint in Chromium, accept every variant that the device has
// the features for.
func TestVariantsCompile(t *testing.T) {
	d, err := device.Open(context.Background())
	require.NoError(t, err)
	t.Cleanup(d.Close)
	var all []shaders.Kernel
	seen := map[string]bool{}
	for _, name := range shaders.Names() {
		for _, weights := range []string{shaders.F32, shaders.F16, shaders.Native} {
			for i, tile := range shaders.Tiles {
				k := shaders.Build(name, weights, tile, []int{1, 8, 16, 24, 64}[i%5])
				if !seen[k.Name] && d.Has(k) {
					seen[k.Name] = true
					all = append(all, k)
				}
			}
		}
	}
	require.Greater(t, len(all), 70)
	require.NoError(t, d.Compile(context.Background(), all))
	require.NoError(t, d.Err())
}

type memory map[string][]byte

func (m memory) Load(key string) []byte       { return m[key] }
func (m memory) Save(key string, data []byte) { m[key] = data }
