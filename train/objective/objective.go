// Package objective holds the training losses as GoMLX graphs: autoregressive, and BD3-LM's (paper,
// equation 8; MDLM is BD3-LM with one block).
package objective

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/unmask-lm/unmask/train/network"
)

// maskLogit replaces the logit of the mask token: SUBS gives it no probability.
const maskLogit = -1e6

// NLL returns -log p(target) a row: logits (R, V), targets (R), out (R). mask is the id whose logit is
// suppressed, or negative for none. It is written as log-sum-exp less the target's logit, so that no
// second (R, V) tensor is kept for the backward pass.
func NLL(logits, targets *Node, mask int) *Node {
	g := logits.Graph()
	rows, vocab := logits.Shape().Dimensions[0], logits.Shape().Dimensions[1]
	if mask >= 0 {
		suppressed := make([][]float32, 1)
		suppressed[0] = make([]float32, vocab)
		suppressed[0][mask] = maskLogit
		logits = Add(logits, Const(g, suppressed))
	}
	highest := StopGradient(ReduceAndKeep(logits, ReduceMax, -1))
	sum := Add(Log(ReduceSum(Exp(Sub(logits, highest)), -1)), Squeeze(highest, -1))
	ids := Iota(g, shapes.Make(dtypes.Int32, rows, vocab), 1)
	own := Equal(ids, BroadcastToDims(InsertAxes(targets, -1), rows, vocab))
	return Sub(sum, ReduceSum(Where(own, logits, ZerosLike(logits)), -1))
}

// Diffusion is the loss of tokens in the doubled pass, weight·nll, with weight 1/t on masked tokens: x0
// and xt are (B, n); rows (K) are indices of tokens in the batch, and weight and the result are (K).
func Diffusion(net *network.Network, x0, xt, rows, weight *Node, block, mask int) *Node {
	targets := Gather(Reshape(x0, -1, 1), InsertAxes(rows, -1))
	return Mul(NLL(net.Doubled(xt, x0, block, rows), Squeeze(targets, -1), mask), weight)
}

// Autoregressive is the loss of predicting token i+1 from tokens 0 … i: x0 is (B, n), the result is
// (B·(n-1)).
func Autoregressive(net *network.Network, x0 *Node) *Node {
	batch, n := x0.Shape().Dimensions[0], x0.Shape().Dimensions[1]
	logits := Reshape(net.Causal(x0), batch, n, -1)
	logits = Slice(logits, AxisRange(), AxisRange(0, n-1))
	next := Slice(x0, AxisRange(), AxisRange(1, n))
	return NLL(Reshape(logits, batch*(n-1), -1), Reshape(next, -1), -1)
}
