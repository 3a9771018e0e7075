// Package module holds the kernels as WebAssembly modules, compiled from the C in the folder above by
// scripts/kernels.sh. It is a package of its own so that using them needs no C compiler.
package module

import "embed"

// Names of the modules: for every browser, and for those with relaxed SIMD. Each imports the memory of the
// Go module that calls it as env.memory.
const (
	Plain   = "kernels.wasm"
	Relaxed = "kernels-relaxed.wasm"
)

// Files holds them by their names.
//
//go:embed kernels.wasm kernels-relaxed.wasm
var Files embed.FS
