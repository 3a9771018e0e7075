package network

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/unmask-lm/unmask/model"
)

// OffsetBlockCausal reports whether noisy row q sees clean column k (M_OBC: strictly earlier blocks).
func OffsetBlockCausal(q, k, block int) bool { return q/block > k/block }

// BlockCausal reports whether clean row q sees clean column k (M_BC: the same block or earlier).
func BlockCausal(q, k, block int) bool { return q/block >= k/block }

// Doubled runs the pass over [x_t ; x_0], both (B, n), and returns the logits (K, V) of the rows asked
// for, indices (K) into the noisy half's B·n rows; nil asks for all of them. Both halves go through the
// dense layers as one batch of 2·B·n rows at the same positions 0 … n-1. What nothing depends on is not
// computed: the clean half leaves after the last layer's keys and values, and rows that were not asked
// for after its attention. With one block, which is MDLM, no row sees the clean half, so there is none.
func (net *Network) Doubled(xt, x0 *Node, block int, rows *Node) *Node {
	batch, n := xt.Shape().Dimensions[0], xt.Shape().Dimensions[1]
	ids := xt
	if block < n {
		ids = Concatenate([]*Node{xt, x0}, 0)
	}
	x := net.embed(ids)
	for i := range net.c.Blocks {
		x = net.begin(x)
		attn, mlp := halves(net.modulation(model.HubLayer(i, model.HubAdaLN), 6))
		q, k, v := net.qkv(x, i, attn, ids.Shape().Dimensions[0])
		last := i == net.c.Blocks-1
		o := net.attendHalves(stream{q, k, v}, batch, block, last)
		o = mergeHeads(o)
		if last {
			x, o = wanted(Slice(x, AxisRange(0, batch*n)), rows), wanted(o, rows)
		}
		x = net.residual(x, net.matmul(o, net.p.Named[model.HubLayer(i, model.HubOut)]), attn)
		x = net.mlp(x, i, mlp)
	}
	return net.head(net.end(x))
}

// attendHalves attends in both halves, or in the noisy one alone where the clean one has no use left.
func (net *Network) attendHalves(both stream, batch, block int, noisyOnly bool) *Node {
	if block == both.q.Shape().Dimensions[2] {
		return net.attend(both.q, both.k, both.v, nil)
	}
	noisy, clean := both.slice(0, batch), both.slice(batch, 2*batch)
	o := net.attendNoisy(noisy, clean, block)
	if noisyOnly {
		return o
	}
	return Concatenate([]*Node{o, net.attendClean(clean, block)}, 0)
}

// slice takes the sequences from … to-1 of the batch.
func (s stream) slice(from, to int) stream {
	part := func(x *Node) *Node { return Slice(x, AxisRange(from, to)) }
	return stream{part(s.q), part(s.k), part(s.v)}
}

// wanted picks rows of x (R, D) by their indices (K).
func wanted(x, rows *Node) *Node {
	if rows == nil {
		return x
	}
	return Gather(x, InsertAxes(rows, -1))
}
