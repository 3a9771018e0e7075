package network

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/go-xla/compute/xla"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model"
)

// twoPasses is what the doubled pass replaces: one over x0, which keeps every layer's keys and values,
// and one over x_t that attends to them.
func (net *Network) twoPasses(xt, x0 *Node, block int, rows *Node) *Node {
	batch := xt.Shape().Dimensions[0]
	clean := make([]stream, net.c.Blocks)
	layer := 0
	last := net.single(x0, batch, func(q, k, v *Node) *Node {
		clean[layer] = stream{q, k, v}
		layer++
		return net.attendClean(clean[layer-1], block)
	})
	layer = 0
	x := net.single(xt, batch, func(q, k, v *Node) *Node {
		layer++
		return net.attendNoisy(stream{q, k, v}, clean[layer-1], block)
	})
	// A pass that is run for its keys and values ends with its last layer all the same.
	return net.head(Add(wanted(x, rows), MulScalar(ReduceAllSum(last), 0)))
}

type passes struct {
	c       model.HubConfig
	layout  Layout
	weights []float32
	xt, x0  [][]int32
	rows    []int32
}

// workload is random tokens, 60 % of them masked.
func workload(c model.HubConfig, batch int) passes {
	p := passes{c: c, layout: NewLayout(&c)}
	rng := rand.New(rand.NewPCG(1, 2))
	p.weights = p.layout.Init(1)
	for i := range p.weights {
		p.weights[i] += float32(0.02 * rng.NormFloat64())
	}
	for b := range batch {
		x0, xt := make([]int32, c.ModelLength), make([]int32, c.ModelLength)
		for i := range x0 {
			x0[i] = rng.Int32N(int32(c.VocabSize - 1))
			xt[i] = x0[i]
			if i%5 < 3 {
				xt[i] = int32(c.VocabSize - 1)
				p.rows = append(p.rows, int32(b*c.ModelLength+i))
			}
		}
		p.x0, p.xt = append(p.x0, x0), append(p.xt, xt)
	}
	return p
}

// exec compiles logits, or the gradient of a loss, by either way.
func (p *passes) exec(tb testing.TB, backend compute.Backend, gradient bool, way func(net *Network, xt, x0 *Node, block int, rows *Node) *Node) func() []float32 {
	exec, err := NewExec(backend, func(weights, xt, x0, rows *Node) *Node {
		params := p.layout.Split(weights)
		logits := way(New(&p.c, params, p.c.ModelLength, Options{}, 0, nil), xt, x0, p.c.BlockSize, rows)
		if gradient {
			return p.layout.Join(Gradient(ReduceAllMean(LogSoftmax(logits, -1)), params.Ordered...))
		}
		return logits
	})
	require.NoError(tb, err)
	return func() []float32 {
		out, err := exec.Call(p.weights, p.xt, p.x0, p.rows)
		require.NoError(tb, err)
		values, err := tensors.CopyFlatData[float32](out[0])
		require.NoError(tb, err)
		return values
	}
}

// The doubled pass is the two passes, also where rows attend in several groups.
func TestDoubledEqualsTwoPasses(t *testing.T) {
	backend, err := gobackend.New("ops_sequential")
	require.NoError(t, err)
	defer backend.Finalize()
	for _, block := range []int{1, 4, 48} {
		c := model.HubConfig{ModelType: model.HubModelType, VocabSize: 19, HiddenDim: 16, CondDim: 4, Blocks: 2, Heads: 2, ModelLength: 144, BlockSize: block}
		p := workload(c, 2)
		want, got := p.exec(t, backend, false, (*Network).twoPasses)(), p.exec(t, backend, false, (*Network).Doubled)()
		require.InDeltaSlice(t, want, got, 1e-4, "block size %d", block)
		want, got = p.exec(t, backend, true, (*Network).twoPasses)(), p.exec(t, backend, true, (*Network).Doubled)()
		require.InDeltaSlice(t, want, got, 1e-5, "block size %d", block)
	}
}

// BenchmarkPasses compares the two, forward and backward, at the starter model's shape.
func BenchmarkPasses(b *testing.B) {
	plugin, err := filepath.Abs("../../.cache/pjrt/pjrt_c_api_cpu_plugin.so")
	require.NoError(b, err)
	xla.EnableAutoInstall(false)
	backend, err := compute.NewWithConfig("xla:" + plugin)
	require.NoError(b, err)
	defer backend.Finalize()
	c := model.HubConfig{ModelType: model.HubModelType, VocabSize: 4096, HiddenDim: 192, CondDim: 32, Blocks: 4, Heads: 6, ModelLength: 256, BlockSize: 4}
	p := workload(c, 8)
	for name, way := range map[string]func(net *Network, xt, x0 *Node, block int, rows *Node) *Node{
		"doubled": (*Network).Doubled, "two": (*Network).twoPasses,
	} {
		b.Run(name, func(b *testing.B) {
			run := p.exec(b, backend, true, way)
			run()
			for b.Loop() {
				run()
			}
		})
	}
}
