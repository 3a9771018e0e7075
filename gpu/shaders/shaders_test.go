package shaders

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExpand(t *testing.T) {
	x := expander{set: map[string]string{"PAIRS": "2", "LANES": "64"}, flags: map[string]bool{"NORM": true}}
	got := x.expand(strings.Join([]string{
		"size LANESu",
		"//#for p PAIRS",
		"//#if NORM",
		"let a$p = $pu;",
		"//#else",
		"never",
		"//#end",
		"//#for q 2",
		"b$p_$q",
		"//#end",
		"//#end",
		"//#if SPLIT",
		"//#if NORM",
		"never",
		"//#end",
		"//#end",
		"last",
	}, "\n"))
	require.Equal(t, "size 64u\nlet a0 = 0u;\nb0_0\nb0_1\nlet a1 = 1u;\nb1_0\nb1_1\nlast\n", got)
	require.Panics(t, func() { x.expand("//#for p 2\nno end") })
	require.Panics(t, func() { x.expand("//#unknown") })
}

func TestBuild(t *testing.T) {
	k := Build("qkv", F16, Tiles[0], 0)
	require.Equal(t, "qkv.f16."+Tiles[0].String(), k.Name)
	require.Equal(t, Binding{"call", Uniform}, k.Bindings[0])
	require.Equal(t, Binding{"values", ReadWrite}, k.Bindings[9])
	require.NotContains(t, k.Source, "//#")
	require.Empty(t, k.Features)
	require.Equal(t, []string{FeatureF16}, Build("head", Native, Tiles[0], 0).Features)
	require.Panics(t, func() { Build("qkv", "f8", Tiles[0], 0) })
	require.Panics(t, func() { Build("nothing", F32, Tiles[0], 0) })
	require.Panics(t, func() { Build("matmul", F32, Tile{Pairs: 8, Split: 8, Lanes: 64}, 0) }, "its sums do not fit")
}

func TestTiles(t *testing.T) {
	for _, tile := range Tiles {
		require.True(t, tile.valid(), tile)
		back, err := ParseTile(tile.String())
		require.NoError(t, err)
		require.Equal(t, tile, back)
	}
	_, err := ParseTile("p3s1l7")
	require.ErrorContains(t, err, Tiles[0].String())
}
