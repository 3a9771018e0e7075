package gpu

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/gpu/shaders"
	"github.com/unmask-lm/unmask/model"
)

// dryPlan plans without a device: every buffer has a number, none exists.
func dryPlan(c model.Config, half bool) *plan {
	p := &plan{c: c, half: half, variant: shaders.F32, weights: map[string]weight{}, uses: map[string][]dims{}}
	p.setTiles(sameTile(shaders.Tiles[0]))
	next := record.BufferID(1)
	for _, s := range c.Tensors() {
		p.weights[s.Name] = weight{[]record.BufferID{next}, s.Shape[0]}
		next++
	}
	p.b.keys, p.b.values = make([]record.BufferID, c.Layers), make([]record.BufferID, c.Layers)
	p.b.dims = map[string][]record.BufferID{}
	for name, u := range uses(&c) {
		p.uses[name] = p.parts(u)
		p.b.dims[name] = make([]record.BufferID, len(p.uses[name]))
	}
	return p
}

// The cost of a pass of the paper's small model, counted without a GPU: 5 dispatches a layer and 4
// beside, 0.99 GFLOP for 4 rows at 256 tokens of context, 325 MB of f16 weights, 64 bytes back.
func TestCostOfAPass(t *testing.T) {
	c := model.Config{Vocab: 50258, Hidden: 768, Layers: 12, Heads: 12, Inner: 3072, Window: 1024, Block: 4, Mask: 50257, NormEps: 1e-5, RopeBase: 10000}
	p := dryPlan(c, true)
	r := &record.Recording{}
	p.body(r, 0, 4, 256)
	p.head(r, 0, 4)
	p.draw(r, 0, 4)
	p.reveal(r, 0, 4)
	dispatches, read, written, flops := r.Totals()
	require.Equal(t, 12*5+4, dispatches)
	require.InEpsilon(t, 0.99e9+4*4*12*256*768, float64(flops), 0.05)
	require.InEpsilon(t, 2*(85.0e6+38.6e6)+12*2*256*768*4, float64(read), 0.05)
	require.Less(t, written, int64(4e6))
	require.Equal(t, 16, drawOutputSize)
	require.Contains(t, r.String(), "blocks.11.down.weight")
	require.Len(t, strings.Split(strings.TrimSpace(r.String()), "\n"), dispatches)
}

// First-hitting asks for one row, and then the head costs one row.
func TestHeadOnlyForAskedRows(t *testing.T) {
	c := model.Config{Vocab: 50258, Hidden: 768, Layers: 12, Heads: 12, Inner: 3072, Window: 1024, Block: 4, Mask: 50257, NormEps: 1e-5, RopeBase: 10000}
	p := dryPlan(c, false)
	cost := func(asks int) int64 {
		r := &record.Recording{}
		p.head(r, 0, asks)
		_, _, _, flops := r.Totals()
		return flops
	}
	require.Equal(t, 4*cost(1), cost(4))
}
