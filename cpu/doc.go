// Package cpu is the oracle: the forward pass of a folded BD3-LM in plain Go, written to be read
// beside the paper. Values are float32, sums are float64. Every other engine is held to it.
package cpu
