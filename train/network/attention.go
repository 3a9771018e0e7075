package network

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/unmask-lm/unmask/model"
)

// qkv projects rows x (B·n, D) and rotates: three nodes (B, H, n, head).
func (net *Network) qkv(x *Node, layer int, mod []*Node, batch int) (q, k, v *Node) {
	y := net.modulatedNorm(x, model.HubLayer(layer, model.HubNorm1), mod)
	parts := Split(net.matmul(y, net.p.Named[model.HubLayer(layer, model.HubQKV)]), 1, 3)
	n := x.Shape().Dimensions[0] / batch
	heads := func(x *Node) *Node {
		return TransposeAllAxes(Reshape(x, batch, n, net.c.Heads, -1), 0, 2, 1, 3)
	}
	return net.rope.apply(heads(parts[0])), net.rope.apply(heads(parts[1])), heads(parts[2])
}

// mergeHeads turns attention's result (B, H, n, head) into rows (B·n, D).
func mergeHeads(o *Node) *Node {
	dims := o.Shape().Dimensions
	return Reshape(TransposeAllAxes(o, 0, 2, 1, 3), -1, dims[1]*dims[3])
}

// scores is q·kᵀ/√head for (…, n, head) and (…, m, head), batched over the leading axes.
func (net *Network) scores(q, k *Node) *Node {
	head := q.Shape().Dimensions[q.Rank()-1]
	return MulScalar(net.batched(q, q.Rank()-1, k, k.Rank()-1), 1/math.Sqrt(float64(head)))
}

// mix is p·v for (…, n, m) and (…, m, head).
func (net *Network) mix(p, v *Node) *Node { return net.batched(p, p.Rank()-1, v, v.Rank()-2) }

func (net *Network) batched(a *Node, axisA int, b *Node, axisB int) *Node {
	var lead []int
	for i := range a.Rank() - 2 {
		lead = append(lead, i)
	}
	return net.dot(a, []int{axisA}, lead, b, []int{axisB}, lead)
}

// attend is softmax(q·kᵀ/√head + mask)·v over (B, H, n, head); without a mask every row sees all.
func (net *Network) attend(q, k, v, mask *Node) *Node {
	s := net.scores(q, k)
	if mask != nil {
		s = Add(s, mask)
	}
	return net.mix(Softmax(s, -1), v)
}

// stream is one half of the doubled pass: its queries, keys and values, (B, H, n, head).
type stream struct{ q, k, v *Node }

// chunk is how many query rows attend together: enough for the matmuls to run well, and few enough to
// leave out most of the columns that no row of theirs sees.
const chunk = 128

// chunks calls f with [from, to) for groups of whole blocks of about chunk rows, and joins the results.
func chunks(n, block int, f func(from, to int) *Node) *Node {
	size := max(1, chunk/block) * block
	var parts []*Node
	for from := 0; from < n; from += size {
		parts = append(parts, f(from, min(from+size, n)))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return Concatenate(parts, 2)
}

// positions slices x (B, H, n, head).
func positions(x *Node, from, to int) *Node {
	return Slice(x, AxisRange(), AxisRange(), AxisRange(from, to))
}

// attendClean is M_BC, the lower half of the mask: a clean row sees the clean blocks up to its own. A
// group of rows meets the columns up to its end only.
func (net *Network) attendClean(clean stream, block int) *Node {
	g := clean.q.Graph()
	return chunks(clean.q.Shape().Dimensions[2], block, func(from, to int) *Node {
		mask := additive(g, from, to, to, func(q, k int) bool { return BlockCausal(q, k, block) })
		return net.attend(positions(clean.q, from, to), positions(clean.k, 0, to), positions(clean.v, 0, to), mask)
	})
}

// attendNoisy is the upper half of the mask [[M_BD, M_OBC], [0, M_BC]]: a noisy row sees its own
// noisy block and the clean blocks before it. The block-diagonal part is computed block by block, and
// of the clean columns a group of rows meets those before its last block.
func (net *Network) attendNoisy(noisy, clean stream, block int) *Node {
	dims := noisy.q.Shape().Dimensions
	batch, heads, n, head := dims[0], dims[1], dims[2], dims[3]
	blocks := func(x *Node) *Node {
		return Reshape(x, batch, heads, x.Shape().Dimensions[2]/block, block, x.Shape().Dimensions[3])
	}
	own := Reshape(net.scores(blocks(noisy.q), blocks(noisy.k)), batch, heads, n, block)
	mixOwn := func(p, v *Node) *Node {
		return Reshape(net.mix(blocks(p), blocks(v)), batch, heads, p.Shape().Dimensions[2], head)
	}
	return chunks(n, block, func(from, to int) *Node {
		mine, v := positions(own, from, to), positions(noisy.v, from, to)
		seen := to - block
		if seen == 0 {
			return mixOwn(Softmax(mine, -1), v)
		}
		mask := additive(mine.Graph(), from, to, seen, func(q, k int) bool { return OffsetBlockCausal(q, k, block) })
		past := Add(net.scores(positions(noisy.q, from, to), positions(clean.k, 0, seen)), mask)
		p := Softmax(Concatenate([]*Node{past, mine}, -1), -1)
		columns := func(from, to int) *Node { return Slice(p, AxisRange(), AxisRange(), AxisRange(), AxisRange(from, to)) }
		return Add(net.mix(columns(0, seen), positions(clean.v, 0, seen)), mixOwn(columns(seen, seen+block), v))
	})
}
