package network

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/unmask-lm/unmask/model"
)

// OffsetBlockCausal reports whether noisy row q sees clean column k (M_OBC: strictly earlier blocks).
func OffsetBlockCausal(q, k, block int) bool { return q/block > k/block }

// BlockCausal reports whether clean row q sees clean column k (M_BC: the same block or earlier).
func BlockCausal(q, k, block int) bool { return q/block >= k/block }

// Doubled runs the pass over [x_t ; x_0], both (B, n), and returns the logits of the noisy half,
// (B·n, V). Both halves go through the dense layers as one batch of 2·B·n rows at the same positions
// 0 … n-1; the clean half leaves after the last block's keys and values, its last use.
func (net *Network) Doubled(xt, x0 *Node, block int) *Node {
	batch, n := xt.Shape().Dimensions[0], xt.Shape().Dimensions[1]
	g := xt.Graph()
	offset := additive(g, n, func(q, k int) bool { return OffsetBlockCausal(q, k, block) })
	causal := additive(g, n, func(q, k int) bool { return BlockCausal(q, k, block) })
	rows := batch * n
	x := net.embed(Concatenate([]*Node{xt, x0}, 0))
	for i := range net.c.Blocks {
		attn, mlp := halves(net.modulation(model.HubLayer(i, model.HubAdaLN), 6))
		q, k, v := net.qkv(x, i, attn, 2*batch)
		noisy, clean := splitHalves(q, k, v, batch)
		o := attendNoisy(noisy, clean, offset, block)
		if i == net.c.Blocks-1 {
			x = Slice(x, AxisRange(0, rows))
		} else {
			o = Concatenate([]*Node{o, attend(clean.q, clean.k, clean.v, causal)}, 0)
		}
		x = net.residual(x, net.out(o, i), attn)
		x = net.mlp(x, i, mlp)
	}
	return net.head(x)
}

func splitHalves(q, k, v *Node, batch int) (noisy, clean stream) {
	first := func(x *Node) *Node { return Slice(x, AxisRange(0, batch)) }
	last := func(x *Node) *Node { return Slice(x, AxisRange(batch, 2*batch)) }
	return stream{first(q), first(k), first(v)}, stream{last(q), last(k), last(v)}
}
