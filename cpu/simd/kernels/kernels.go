// Package kernels holds the vectorised operations of the CPU engine. They are written once, in C with
// the vector extensions of GCC and Clang: natively cgo compiles them for each instruction set, and the
// same source is the WebAssembly module kernels.wasm. Lengths are checked here; the C trusts them.
package kernels

import (
	"fmt"
	"unsafe"
)

// Epilogue is what a matmul does with a sum; the numbers are those of matmul.h.
type Epilogue int32

// Epilogues.
const (
	Store Epilogue = iota
	GELU
	Add // to what is there
)

// Group is the number of positions that lie together in a cache of keys.
const Group = 32

// Lane is what rows of values and logits are padded to.
const Lane = 16

// Matrix is a weight (Outs, In) as it is stored: row-major little-endian f32 or f16.
type Matrix struct {
	data     unsafe.Pointer
	half     bool
	Outs, In int
}

// NewMatrix takes the rows of data, which must stay as they are while the matrix is used.
func NewMatrix(data []byte, half bool, in int) Matrix {
	size := 4
	if half {
		size = 2
	}
	return Matrix{unsafe.Pointer(unsafe.SliceData(data)), half, len(data) / (in * size), in}
}

// Pack lays rows of x (rows, in) out for MatMul with a weight of f16 or f32.
func Pack(x []float32, rows, in int, half bool, out []float32) {
	need("x", len(x), rows*in)
	need("out", len(out), rows*in)
	folded := int32(0)
	if half {
		folded = 1
	}
	pack(&x[0], int32(rows), int32(in), folded, &out[0])
}

// MatMul is x·wᵀ + bias for packed rows of x (rows, In), of which it computes the outputs from first to last
// into out (rows, stride). bias (Outs) may be nil.
func MatMul(x []float32, rows int, w *Matrix, bias, out []float32, stride, first, last int, e Epilogue) {
	if rows == 0 || first >= last {
		return
	}
	need("x", len(x), rows*w.In)
	need("out", len(out), (rows-1)*stride+last)
	need("weight", w.Outs, last)
	if bias != nil {
		need("bias", len(bias), last)
	}
	if w.half {
		matmulF16(&x[0], int32(rows), int32(w.In), w.data, unsafe.SliceData(bias), &out[0], int32(stride), int32(first), int32(last), int32(e))
	} else {
		matmulF32(&x[0], int32(rows), int32(w.In), w.data, unsafe.SliceData(bias), &out[0], int32(stride), int32(first), int32(last), int32(e))
	}
}

// LayerNorm normalises rows of x (rows, width), scaled and shifted, into out.
func LayerNorm(x []float32, rows int, scale, shift []float32, epsilon float32, out []float32) {
	width := len(scale)
	need("x", len(x), rows*width)
	need("out", len(out), rows*width)
	need("shift", len(shift), width)
	layernorm(&x[0], int32(rows), int32(width), &scale[0], &shift[0], epsilon, &out[0])
}

// Layout describes the block cache of one layer.
type Layout struct {
	Width, Head int
	Window      int // positions, a multiple of Group
}

// Keys is the number of floats of a layer's keys: (heads, Window/Group, Head, Group).
func (l Layout) Keys() int { return l.Width * l.Window }

// Values is the number of floats of a layer's values: (heads, Window, Head padded to Lane).
func (l Layout) Values() int { return l.Width / l.Head * l.Window * Pad(l.Head) }

// Pad rounds up to a multiple of Lane.
func Pad(n int) int { return (n + Lane - 1) / Lane * Lane }

// Rope rotates rows of qkv (rows, 3·Width) that stand at the positions from base on: queries go to q
// (rows, Width), scaled, keys and values to the cache. turns (Window, 2, Head/2) holds cosines and sines.
func Rope(l Layout, qkv []float32, rows, base int, turns []float32, scale float32, q, keys, values []float32) {
	need("qkv", len(qkv), 3*rows*l.Width)
	need("turns", len(turns), (base+rows)*l.Head)
	need("q", len(q), rows*l.Width)
	need("keys", len(keys), l.Keys())
	need("values", len(values), l.Values())
	need("window", l.Window, base+rows)
	rope(&qkv[0], int32(rows), int32(l.Width), int32(l.Head), int32(base), int32(l.Window), &turns[0], scale, &q[0], &keys[0], &values[0])
}

// ScoreRoom is the number of floats that Attend needs for scores.
func (l Layout) ScoreRoom() int { return 4 * l.Window }

// Attend is attention of one head of q (rows, Width), of which row r sees the first limits[r]
// positions; limits do not decrease. The head's columns of out are written.
func Attend(l Layout, head int, q []float32, rows int, keys, values []float32, limits []int32, scores, out []float32) {
	need("q", len(q), rows*l.Width)
	need("out", len(out), rows*l.Width)
	need("keys", len(keys), l.Keys())
	need("values", len(values), l.Values())
	need("limits", len(limits), rows)
	need("window", l.Window, int(limits[rows-1]))
	need("scores", len(scores), l.ScoreRoom())
	at := head * l.Head
	attend(&q[at], int32(rows), int32(l.Width), &keys[at*l.Window], &values[head*l.Window*Pad(l.Head)], int32(l.Head),
		&limits[0], &scores[0], int32(l.Window), &out[at])
}

// Nowhere is the logit of what can not be drawn, and of the padding of a row.
const Nowhere = -1e30

// Statistics are those of a row of logits at temperature 1.
type Statistics struct {
	Best    int32   // the most probable token, the lowest id among equals
	Top     float32 // its logit
	Total   float32 // of e^(logit - Top)
	Entropy float32 // nats, less ln Total
}

// Measure returns the statistics of a row padded to Lane.
func Measure(logits []float32, s *Statistics) {
	padded(logits)
	measure(&logits[0], int32(len(logits)), unsafe.Pointer(s))
}

// Weigh fills weights with e^((logit - top)·scale).
func Weigh(logits []float32, top, scale float32, weights []float32) {
	padded(logits)
	need("weights", len(weights), len(logits))
	weigh(&logits[0], int32(len(logits)), top, scale, &weights[0])
}

// Above sums the weights of tokens whose logit is at least cut, or counts them where weights is nil.
func Above(logits, weights []float32, cut float32) float32 {
	padded(logits)
	if weights != nil {
		need("weights", len(weights), len(logits))
	}
	return above(&logits[0], unsafe.SliceData(weights), int32(len(logits)), cut)
}

func padded(logits []float32) {
	if len(logits) == 0 || len(logits)%Lane != 0 {
		panic(fmt.Sprintf("kernels: %d logits are no multiple of %d", len(logits), Lane))
	}
}

// need panics where the C would read or write beyond a slice.
func need(what string, have, want int) {
	if have < want {
		panic(fmt.Sprintf("kernels: %s has %d values, expected %d", what, have, want))
	}
}
