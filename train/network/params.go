// Package network builds the BD3-LM transformer as a GoMLX graph: the reference's models/dit.py with
// its adaLN modulation, over parameters that live in one flat vector.
package network

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/unmask-lm/unmask/model"
)

// Layout places every parameter of a checkpoint in one vector, so that the optimiser, the moving
// average and a checkpoint each handle one tensor.
type Layout struct {
	Specs []model.TensorSpec
	Size  int // values in all
}

// NewLayout lists the parameters in the reference's order.
func NewLayout(c *model.HubConfig) Layout {
	l := Layout{Specs: c.Tensors()}
	for _, s := range l.Specs {
		l.Size += s.Size()
	}
	return l
}

// Init draws initial values as the reference does: uniform ±1/√D for the embedding and ±1/√fan_in for
// linear layers, ones for norms, zeros for the head and the modulation, so that every block starts
// as the identity and the first loss is ln(V-1).
func (l Layout) Init(seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0x756e6d61736b))
	out := make([]float32, 0, l.Size)
	fanIn := 1
	for _, s := range l.Specs {
		if s.Matrix() {
			fanIn = s.Shape[1]
		}
		bound := 1 / math.Sqrt(float64(fanIn))
		switch {
		case strings.Contains(s.Name, "norm"):
			for range s.Size() {
				out = append(out, 1)
			}
		case strings.Contains(s.Name, model.HubAdaLN), strings.HasPrefix(s.Name, model.HubHead):
			out = append(out, make([]float32, s.Size())...)
		default: // a bias follows its weight and shares its fan-in
			for range s.Size() {
				out = append(out, float32((2*rng.Float64()-1)*bound))
			}
		}
	}
	return out
}

// Slices cuts the vector into named parameters; they share its memory.
func (l Layout) Slices(flat []float32) map[string][]float32 {
	out := make(map[string][]float32, len(l.Specs))
	at := 0
	for _, s := range l.Specs {
		out[s.Name] = flat[at : at+s.Size()]
		at += s.Size()
	}
	return out
}

// Params are the parameters as graph nodes, by name, and in order for gradients.
type Params struct {
	Named   map[string]*graph.Node
	Ordered []*graph.Node
}

// Split slices the flat vector inside the graph.
func (l Layout) Split(flat *graph.Node) Params {
	p := Params{Named: map[string]*graph.Node{}}
	at := 0
	for _, s := range l.Specs {
		n := graph.Reshape(graph.Slice(flat, graph.AxisRange(at, at+s.Size())), s.Shape...)
		p.Named[s.Name] = n
		p.Ordered = append(p.Ordered, n)
		at += s.Size()
	}
	return p
}

// Join flattens nodes in the order of the layout, gradients for instance.
func (l Layout) Join(nodes []*graph.Node) *graph.Node {
	flat := make([]*graph.Node, len(nodes))
	for i, n := range nodes {
		flat[i] = graph.Reshape(n, -1)
	}
	return graph.Concatenate(flat, 0)
}
