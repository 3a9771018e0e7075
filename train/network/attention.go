package network

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/unmask-lm/unmask/model"
)

// qkv projects rows x (B·n, D) and rotates: three nodes (B, H, n, head).
func (net *Network) qkv(x *Node, layer int, mod []*Node, batch int) (q, k, v *Node) {
	y := net.modulatedNorm(x, model.HubLayer(layer, model.HubNorm1), mod)
	parts := Split(matmul(y, net.p.Named[model.HubLayer(layer, model.HubQKV)]), 1, 3)
	n := x.Shape().Dimensions[0] / batch
	heads := func(x *Node) *Node {
		return TransposeAllAxes(Reshape(x, batch, n, net.c.Heads, -1), 0, 2, 1, 3)
	}
	return net.rope.apply(heads(parts[0])), net.rope.apply(heads(parts[1])), heads(parts[2])
}

// out projects attention's result (B, H, n, head) back to rows (B·n, D).
func (net *Network) out(o *Node, layer int) *Node {
	rows := Reshape(TransposeAllAxes(o, 0, 2, 1, 3), -1, net.c.HiddenDim)
	return matmul(rows, net.p.Named[model.HubLayer(layer, model.HubOut)])
}

// scores is q·kᵀ/√head for (…, n, head) and (…, m, head), batched over the leading axes.
func scores(q, k *Node) *Node {
	head := q.Shape().Dimensions[q.Rank()-1]
	return MulScalar(batched(q, q.Rank()-1, k, k.Rank()-1), 1/math.Sqrt(float64(head)))
}

// mix is p·v for (…, n, m) and (…, m, head).
func mix(p, v *Node) *Node { return batched(p, p.Rank()-1, v, v.Rank()-2) }

func batched(a *Node, axisA int, b *Node, axisB int) *Node {
	var lead []int
	for i := range a.Rank() - 2 {
		lead = append(lead, i)
	}
	return DotGeneral(a, []int{axisA}, lead, b, []int{axisB}, lead)
}

// attend is softmax(q·kᵀ/√head + mask)·v over (B, H, n, head).
func attend(q, k, v, mask *Node) *Node { return mix(Softmax(Add(scores(q, k), mask), -1), v) }

// stream is one half of the doubled pass: its queries, keys and values.
type stream struct{ q, k, v *Node }

// attendNoisy is the upper half of the mask [[M_BD, M_OBC], [0, M_BC]]: a noisy row sees its own
// noisy block and the clean blocks before it. The block-diagonal part is computed block by block,
// so only n + L' of the 2n columns exist.
func attendNoisy(noisy, clean stream, offset *Node, block int) *Node {
	dims := noisy.q.Shape().Dimensions
	batch, heads, n, head := dims[0], dims[1], dims[2], dims[3]
	blocks := func(x *Node) *Node { return Reshape(x, batch, heads, n/block, block, head) }
	own := Reshape(scores(blocks(noisy.q), blocks(noisy.k)), batch, heads, n, block)
	past := Add(scores(noisy.q, clean.k), offset)
	p := Softmax(Concatenate([]*Node{past, own}, -1), -1)
	pastP := Slice(p, AxisRange(), AxisRange(), AxisRange(), AxisRange(0, n))
	ownP := Slice(p, AxisRange(), AxisRange(), AxisRange(), AxisRange(n, n+block))
	ownO := mix(Reshape(ownP, batch, heads, n/block, block, block), blocks(noisy.v))
	return Add(mix(pastP, clean.v), Reshape(ownO, batch, heads, n, head))
}
