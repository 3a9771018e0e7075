//go:build !js

package kernels

/*
#cgo CFLAGS: -O3 -Wall -Wno-psabi
#cgo LDFLAGS: -lm
#include "dispatch.h"
*/
import "C"

import "unsafe"

// names are those of the instruction sets, the narrowest first.
var names = []string{"base", "AVX2", "AVX-512"}

func init() { Use(len(Levels()) - 1) }

// Levels names the instruction sets that this machine can use.
func Levels() []string { return names[:C.unmask_levels()] }

var level int

// Use chooses one of Levels; the last is in use from the start. It is not safe while kernels run.
func Use(n int) {
	level = n
	C.unmask_use(C.int(n))
}

// Level names the instruction set in use.
func Level() string { return names[level] }

func float(p *float32) *C.float { return (*C.float)(p) }

func pack(x *float32, rows, in, folded int32, out *float32) {
	C.unmask_pack(float(x), C.int(rows), C.int(in), C.int(folded), float(out))
}

func matmulF32(x *float32, rows, in int32, w unsafe.Pointer, bias, out *float32, stride, first, last, epilogue int32) {
	C.unmask_matmul_f32(float(x), C.int(rows), C.int(in), (*C.float)(w), float(bias), float(out), C.int(stride), C.int(first), C.int(last), C.int(epilogue))
}

func matmulF16(x *float32, rows, in int32, w unsafe.Pointer, bias, out *float32, stride, first, last, epilogue int32) {
	C.unmask_matmul_f16(float(x), C.int(rows), C.int(in), (*C.half)(w), float(bias), float(out), C.int(stride), C.int(first), C.int(last), C.int(epilogue))
}

func layernorm(x *float32, rows, width int32, scale, shift *float32, epsilon float32, out *float32) {
	C.unmask_layernorm(float(x), C.int(rows), C.int(width), float(scale), float(shift), C.float(epsilon), float(out))
}

func rope(qkv *float32, rows, width, head, base, window int32, turns *float32, scale float32, q, keys, values *float32) {
	C.unmask_rope(float(qkv), C.int(rows), C.int(width), C.int(head), C.int(base), C.int(window), float(turns), C.float(scale), float(q), float(keys), float(values))
}

func attend(q *float32, rows, stride int32, keys, values *float32, head int32, limits *int32, scores *float32, room int32, out *float32) {
	C.unmask_attend(float(q), C.int(rows), C.int(stride), float(keys), float(values), C.int(head), (*C.int32_t)(limits), float(scores), C.int(room), float(out))
}

func measure(logits *float32, vocab int32, out unsafe.Pointer) {
	C.unmask_measure(float(logits), C.int(vocab), (*C.statistics)(out))
}

func weigh(logits *float32, vocab int32, top, scale float32, weights *float32) {
	C.unmask_weigh(float(logits), C.int(vocab), C.float(top), C.float(scale), float(weights))
}

func above(logits, weights *float32, vocab int32, cut float32) float32 {
	return float32(C.unmask_above(float(logits), float(weights), C.int(vocab), C.float(cut)))
}
