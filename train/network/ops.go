package network

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/unmask-lm/unmask/model"
)

// matmul is x·wᵀ for rows x (R, in) and a weight (out, in). Operands are kept at rank 2: XLA's CPU
// backend runs a whole step 1.6 times faster so.
func (net *Network) matmul(x, w *Node) *Node { return net.dot(x, []int{1}, nil, w, []int{1}, nil) }

// dot multiplies in the precision asked for; the result is float32.
func (net *Network) dot(a *Node, axesA, leadA []int, b *Node, axesB, leadB []int) *Node {
	if net.o.BF16 {
		a, b = ConvertDType(a, dtypes.BFloat16), ConvertDType(b, dtypes.BFloat16)
	}
	return ConvertDType(DotGeneral(a, axesA, leadA, b, axesB, leadB), dtypes.Float32)
}

func silu(x *Node) *Node { return Mul(x, Logistic(x)) }

// geluTanh is the tanh approximation of GELU, as the reference uses.
func geluTanh(x *Node) *Node {
	inner := MulScalar(Add(x, MulScalar(Mul(x, Square(x)), 0.044715)), math.Sqrt(2/math.Pi))
	return MulScalar(Mul(x, AddScalar(Tanh(inner), 1)), 0.5)
}

// rope holds the rotary tables (1, 1, n, head/2), angles computed in float64.
type rope struct{ cos, sin *Node }

func newRope(g *Graph, n, head int) rope {
	cos, sin := make([][]float32, n), make([][]float32, n)
	for pos := range n {
		for j := range head / 2 {
			angle := float64(pos) * math.Pow(model.HubRopeBase, -2*float64(j)/float64(head))
			cos[pos] = append(cos[pos], float32(math.Cos(angle)))
			sin[pos] = append(sin[pos], float32(math.Sin(angle)))
		}
	}
	return rope{InsertAxes(Const(g, cos), 0, 0), InsertAxes(Const(g, sin), 0, 0)}
}

// apply rotates x (B, H, n, head), pairing dimension j with j + head/2.
func (r rope) apply(x *Node) *Node {
	half := Split(x, -1, 2)
	return Concatenate([]*Node{
		Sub(Mul(half[0], r.cos), Mul(half[1], r.sin)),
		Add(Mul(half[1], r.cos), Mul(half[0], r.sin)),
	}, -1)
}

// dropout keeps a random state that every use advances.
type dropout struct {
	rate  float64
	state *Node
}

func (d *dropout) apply(x *Node) *Node {
	var u *Node
	d.state, u = RandomUniform(d.state, x.Shape())
	keep := GreaterOrEqual(u, Scalar(x.Graph(), x.DType(), d.rate))
	return Where(keep, MulScalar(x, 1/(1-d.rate)), ZerosLike(x))
}

// additive builds a mask (1, 1, to-from, columns) of 0 where query row q, counted from `from` on, may see
// column k, and -1e9 elsewhere.
func additive(g *Graph, from, to, columns int, allowed func(q, k int) bool) *Node {
	mask := make([][]float32, to-from)
	for q := range mask {
		mask[q] = make([]float32, columns)
		for k := range columns {
			if !allowed(from+q, k) {
				mask[q][k] = -1e9
			}
		}
	}
	return InsertAxes(ConvertDType(Const(g, mask), dtypes.Float32), 0, 0)
}
