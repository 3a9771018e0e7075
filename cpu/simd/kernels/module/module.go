// Package module holds the kernels as a WebAssembly module, compiled from the C in the folder above by
// scripts/kernels.sh. It is a package of its own so that using it needs no C compiler.
package module

import _ "embed"

// WASM imports the memory of the Go module that calls it as env.memory.
//
//go:embed kernels.wasm
var WASM []byte
