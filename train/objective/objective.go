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
// suppressed, or negative for none.
func NLL(logits, targets *Node, mask int) *Node {
	g := logits.Graph()
	rows, vocab := logits.Shape().Dimensions[0], logits.Shape().Dimensions[1]
	ids := Iota(g, shapes.Make(dtypes.Int32, rows, vocab), 1)
	if mask >= 0 {
		logits = Where(Equal(ids, Scalar(g, dtypes.Int32, mask)), AddScalar(logits, maskLogit), logits)
	}
	own := Equal(ids, BroadcastToDims(InsertAxes(targets, -1), rows, vocab))
	return Neg(ReduceSum(Where(own, LogSoftmax(logits, -1), ZerosLike(logits)), -1))
}

// Diffusion is the loss of each token in the doubled pass, weight·nll, with weight 1/t on masked tokens
// and 0 elsewhere: x0, xt and weight are (B, n), the result is (B·n). Training takes the mean.
func Diffusion(net *network.Network, x0, xt, weight *Node, block, mask int) *Node {
	nll := NLL(net.Doubled(xt, x0, block), Reshape(x0, -1), mask)
	return Mul(nll, Reshape(weight, -1))
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
