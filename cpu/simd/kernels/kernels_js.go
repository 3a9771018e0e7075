//go:build js

package kernels

import "unsafe"

// Levels names the instruction set that this browser can use: the loader has chosen the module.
func Levels() []string {
	if fused() != 0 {
		return []string{"WebAssembly relaxed SIMD"}
	}
	return []string{"WebAssembly SIMD"}
}

//go:wasmimport kernels unmask_fused
//go:noescape
func fused() int32

// Use chooses one of Levels: there is one.
func Use(int) {}

// Level names the instruction set in use.
func Level() string { return Levels()[0] }

// Importing functions by wasmimport passes addresses in the memory that the two modules share; the
// Go module's loader forwards the calls (web/package/src/kernels.ts).

//go:wasmimport kernels unmask_pack_base
//go:noescape
func pack(x *float32, rows, in, folded int32, out *float32)

//go:wasmimport kernels unmask_matmul_f32_base
//go:noescape
func matmulF32(x *float32, rows, in int32, w unsafe.Pointer, bias, out *float32, stride, first, last, epilogue int32)

//go:wasmimport kernels unmask_matmul_f16_base
//go:noescape
func matmulF16(x *float32, rows, in int32, w unsafe.Pointer, bias, out *float32, stride, first, last, epilogue int32)

//go:wasmimport kernels unmask_layernorm_base
//go:noescape
func layernorm(x *float32, rows, width int32, scale, shift *float32, epsilon float32, out *float32)

//go:wasmimport kernels unmask_rope_base
//go:noescape
func rope(qkv *float32, rows, width, head, base, window int32, turns *float32, scale float32, q, keys, values *float32)

//go:wasmimport kernels unmask_attend_base
//go:noescape
func attend(q *float32, rows, stride int32, keys, values *float32, head int32, limits *int32, scores *float32, room int32, out *float32)

//go:wasmimport kernels unmask_measure_base
//go:noescape
func measure(logits *float32, vocab int32, out unsafe.Pointer)

//go:wasmimport kernels unmask_weigh_base
//go:noescape
func weigh(logits *float32, vocab int32, top, scale float32, weights *float32)

//go:wasmimport kernels unmask_above_base
//go:noescape
func above(logits, weights *float32, vocab int32, cut float32) float32
