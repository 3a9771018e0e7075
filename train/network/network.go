package network

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/unmask-lm/unmask/model"
)

// Network is the transformer over parameters p, inside one graph.
type Network struct {
	c    *model.HubConfig
	p    Params
	cond *Node // (1, cond): silu(sigma_map(0)), the constant that modulates every block
	rope rope
	drop *dropout
	o    Options
}

// Options decide how the network is computed, not what.
type Options struct {
	BF16  bool // matmuls of bfloat16 operands, summed in float32; all else stays float32
	Remat bool // layers are computed again in the backward pass, so that their insides need no memory
}

// New prepares the network for sequences of n tokens. rngState seeds dropout at the given rate; nil
// switches it off, as in evaluation.
func New(c *model.HubConfig, p Params, n int, o Options, rate float64, rngState *Node) *Network {
	net := &Network{c: c, p: p, o: o, rope: newRope(p.Ordered[0].Graph(), n, c.HiddenDim/c.Heads)}
	if rngState != nil && rate > 0 {
		net.drop = &dropout{rate: rate, state: rngState}
	}
	if c.Modulated() {
		net.cond = net.condition()
	}
	return net
}

// condition embeds noise level 0: time conditioning is off, so cos(0) = 1 and sin(0) = 0.
func (net *Network) condition() *Node {
	half := model.HubTimestepDims / 2
	level := make([][]float32, 1)
	level[0] = make([]float32, model.HubTimestepDims)
	for i := range half {
		level[0][i] = 1
	}
	x := Const(net.p.Ordered[0].Graph(), level)
	return silu(net.linear(silu(net.linear(x, model.HubSigma0)), model.HubSigma2))
}

// linear applies name.weight and name.bias to the rows of x (R, in).
func (net *Network) linear(x *Node, name string) *Node {
	y := net.matmul(x, net.p.Named[name+".weight"])
	return Add(y, InsertAxes(net.p.Named[name+".bias"], 0))
}

// modulation returns k vectors (1, D), in the order shift, scale, gate a sub-layer; or nil.
func (net *Network) modulation(name string, k int) []*Node {
	if net.cond == nil {
		return nil
	}
	return Split(net.linear(net.cond, name), 1, k)
}

// modulatedNorm is LN(x; w)·(1+scale) + shift over rows (R, D).
func (net *Network) modulatedNorm(x *Node, name string, mod []*Node) *Node {
	centred := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
	variance := ReduceAndKeep(Square(centred), ReduceMean, -1)
	y := Div(centred, Sqrt(AddScalar(variance, model.HubNormEps)))
	y = Mul(y, InsertAxes(net.p.Named[name], 0))
	if mod == nil {
		return y
	}
	return Add(Mul(y, AddScalar(mod[1], 1)), mod[0])
}

// residual adds gate·dropout(y) to x.
func (net *Network) residual(x, y *Node, mod []*Node) *Node {
	if net.drop != nil {
		y = net.drop.apply(y)
	}
	if mod != nil {
		y = Mul(y, mod[2])
	}
	return Add(x, y)
}

func (net *Network) mlp(x *Node, layer int, mod []*Node) *Node {
	y := net.modulatedNorm(x, model.HubLayer(layer, model.HubNorm2), mod)
	y = geluTanh(net.linear(y, model.HubLayer(layer, model.HubUp)))
	return net.residual(x, net.linear(y, model.HubLayer(layer, model.HubDown)), mod)
}

// embed looks up ids (B, n) and returns rows (B·n, D).
func (net *Network) embed(ids *Node) *Node {
	flat := Reshape(ids, -1, 1)
	return Gather(net.p.Named[model.HubEmbedding], flat)
}

// head maps rows (R, D) to logits (R, V).
func (net *Network) head(x *Node) *Node {
	mod := net.modulation(model.HubFinalAdaLN, 2)
	return net.linear(net.modulatedNorm(x, model.HubFinalNorm, mod), model.HubHead)
}

// Causal runs one stream under the causal mask: ids (B, n) to logits (B·n, V). It is the
// autoregressive objective's network; position i reads token i and predicts the next.
func (net *Network) Causal(ids *Node) *Node {
	batch, n := ids.Shape().Dimensions[0], ids.Shape().Dimensions[1]
	mask := additive(ids.Graph(), 0, n, n, func(q, k int) bool { return k <= q })
	return net.head(net.single(ids, batch, func(q, k, v *Node) *Node { return net.attend(q, k, v, mask) }))
}

// single runs one stream of ids (B, n) to hidden rows (B·n, D).
func (net *Network) single(ids *Node, batch int, attend func(q, k, v *Node) *Node) *Node {
	x := net.embed(ids)
	for i := range net.c.Blocks {
		x = net.begin(x)
		attn, mlp := halves(net.modulation(model.HubLayer(i, model.HubAdaLN), 6))
		q, k, v := net.qkv(x, i, attn, batch)
		x = net.residual(x, net.matmul(mergeHeads(attend(q, k, v)), net.p.Named[model.HubLayer(i, model.HubOut)]), attn)
		x = net.mlp(x, i, mlp)
	}
	return net.end(x)
}

// begin marks the start of a layer, and end the last one's end, for Remat.
func (net *Network) begin(x *Node) *Node {
	if net.o.Remat {
		return x.Checkpoint()
	}
	return x
}

func (net *Network) end(x *Node) *Node {
	if net.o.Remat {
		return x.StopCheckpoint()
	}
	return x
}

// halves splits six modulation vectors into those of attention and of the MLP.
func halves(mods []*Node) (attn, mlp []*Node) {
	if mods == nil {
		return nil, nil
	}
	return mods[:3], mods[3:]
}
