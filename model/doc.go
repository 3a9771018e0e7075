// Package model holds what every other room agrees on: the architecture of a block-diffusion
// language model (Config), the names and shapes of its tensors, and the Pack that carries both.
//
// Symbols used in comments throughout the project:
//
//	V  vocabulary, the mask id included    D  hidden width
//	T  rows of one forward pass            H  attention heads
//	L' block size, in tokens               F  inner width of the MLP
//	C  tokens held in the block cache      n  window: the longest sequence the model was trained on
//
// Shapes are written outermost first: a weight (F, D) maps D inputs to F outputs and is stored row
// by row, as safetensors and PyTorch do.
package model
