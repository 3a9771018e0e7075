package gpu_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/tensor"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// Tolerances of single kernels, relative to values of about 1.
const (
	exact         = 0    // copies
	roundingError = 1e-5 // sums of some hundred float32 products
	functionError = 2e-5 // exp and tanh may be off by a few units in the last place
)

// rounds is how many random shapes each kernel is tried on.
const rounds = 12

// kernelTests has one test a WGSL file, against the oracle's file of the same name.
var kernelTests = map[string]func(t *testing.T, b bench, rng *rand.Rand){
	"embed":     testEmbed,
	"layernorm": testLayerNorm,
	"matmul":    testMatMul,
	"rope":      testRope,
	"attend":    testAttend,
	"draw":      testDraw,
}

func TestKernels(t *testing.T) {
	for name, test := range kernelTests {
		t.Run(name, func(t *testing.T) {
			b := openBench(t)
			for seed := range uint64(rounds) {
				test(t, b, rand.New(rand.NewPCG(seed, 3)))
			}
		})
	}
}

func near(t *testing.T, want, got []float32, tolerance float64) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		scale := max(1, math.Abs(float64(want[i])))
		require.InDelta(t, want[i], got[i], tolerance*scale, "index %d of %d", i, len(want))
	}
}

// weights stores a matrix of rows of width as f32 or f16, and returns what it then holds.
func (b bench) weights(values []float32, width int, half bool) (held []float32, data []byte, variant string) {
	if !half {
		return values, gpu.PadRows(gpu.Encode(values), width, 4), "f32"
	}
	raw := tensor.Encode(tensor.F16, nil, values)
	held, err := tensor.Float32s(tensor.F16, raw)
	require.NoError(b.t, err)
	return held, gpu.PadRows(raw, width, 2), "f16"
}

func testEmbed(t *testing.T, b bench, rng *rand.Rand) {
	vocab, d, rows := 2+rng.IntN(500), 1+rng.IntN(300), 1+rng.IntN(40)
	held, data, variant := b.weights(normal(rng, vocab*d), d, rng.IntN(2) == 0)
	ids, tokens := make([]int, rows), make([]uint32, rows)
	for i := range ids {
		ids[i] = rng.IntN(vocab)
		tokens[i] = uint32(ids[i])
	}
	stride := gpu.Pad(d)
	out := b.buffer(make([]float32, rows*stride))
	got := b.run("embed."+variant, [3]uint32{uint32(stride/4+63) / 64, uint32(rows), 1}, out, rows*stride,
		b.uniform(gpu.PassUniform{Rows: uint32(rows)}), b.uniform(gpu.Dims{Width: uint32(d), Stride: uint32(stride), Outputs: uint32(vocab)}),
		b.buffer(tokens), b.buffer(data), out)
	near(t, cpu.Embed(held, ids, d), unpadded(got, d), exact)
}

func testLayerNorm(t *testing.T, b bench, rng *rand.Rand) {
	d, rows := 2+rng.IntN(900), 1+rng.IntN(20)
	x, scale, shift := normal(rng, rows*d), normal(rng, d), normal(rng, d)
	which := make([]uint32, 1+rng.IntN(rows))
	var chosen []float32
	for i := range which {
		row := rng.IntN(rows)
		which[i] = uint32(row)
		chosen = append(chosen, x[row*d:(row+1)*d]...)
	}
	stride := gpu.Pad(d)
	out := b.buffer(make([]float32, len(which)*stride))
	got := b.run("layernorm", [3]uint32{uint32(len(which)), 1, 1}, out, len(which)*stride,
		b.uniform(gpu.Dims{Width: uint32(d), Stride: uint32(stride), Epsilon: 1e-5}),
		b.buffer(padded(x, d)), b.buffer(which), b.buffer(scale), b.buffer(shift), out)
	near(t, cpu.LayerNorm(chosen, scale, shift, 1e-5), unpadded(got, d), roundingError)
}

func testMatMul(t *testing.T, b bench, rng *rand.Rand) {
	in, outs, rows := 1+rng.IntN(400), 1+rng.IntN(600), 1+rng.IntN(37)
	x, bias := normal(rng, rows*in), normal(rng, outs)
	w := normal(rng, outs*in)
	for i := range w {
		w[i] /= float32(math.Sqrt(float64(in)))
	}
	held, data, variant := b.weights(w, in, rng.IntN(2) == 0)
	epilogue := []uint32{gpu.EpilogueStore, gpu.EpilogueGELU, gpu.EpilogueAdd}[rng.IntN(3)]
	before := normal(rng, rows*outs)
	tall := (rows + 3) &^ 3 // the kernel reads and writes whole tiles of rows
	xs := append(padded(x, in), make([]float32, (tall-rows)*gpu.Pad(in))...)
	outBuffer := b.buffer(append(padded(before, outs), make([]float32, (tall-rows)*gpu.Pad(outs))...))
	got := b.run("matmul."+variant, [3]uint32{uint32(outs+255) / 256, uint32(tall / 4), 1}, outBuffer, rows*gpu.Pad(outs),
		b.uniform(gpu.Dims{Width: uint32(in), Stride: uint32(gpu.Pad(in)), Outputs: uint32(outs), OutStride: uint32(gpu.Pad(outs)), Epilogue: epilogue}),
		b.buffer(xs), b.buffer(data), b.buffer(bias), outBuffer)
	want := cpu.MatMul(x, held, bias, in)
	switch epilogue {
	case gpu.EpilogueGELU:
		cpu.GELU(want)
	case gpu.EpilogueAdd:
		cpu.Add(want, before)
	}
	near(t, want, unpadded(got, outs), functionError)
}

func testRope(t *testing.T, b bench, rng *rand.Rand) {
	heads, head := 1+rng.IntN(5), 2*(1+rng.IntN(33))
	d, rows, base := heads*head, 1+rng.IntN(9), rng.IntN(20)
	c := &model.Config{Hidden: d, Heads: heads, Window: base + rows, RopeBase: 10000}
	qkv := normal(rng, rows*3*d)
	stride := gpu.Pad(d)
	q := b.buffer(make([]float32, rows*stride))
	keys, values := b.buffer(make([]float32, c.Window*stride)), b.buffer(make([]float32, c.Window*stride))
	gotQ := b.run("rope", [3]uint32{uint32(d/2+63) / 64, uint32(rows), 1}, q, rows*stride,
		b.uniform(gpu.PassUniform{Base: uint32(base), Rows: uint32(rows)}),
		b.uniform(gpu.Dims{Stride: uint32(gpu.Pad(3 * d)), Outputs: uint32(d), OutStride: uint32(stride), Head: uint32(head)}),
		b.buffer(padded(qkv, 3*d)), b.buffer(gpu.Turns(c)), q, keys, values)
	part := func(k int) (out []float32) {
		for r := range rows {
			out = append(out, qkv[r*3*d+k*d:r*3*d+(k+1)*d]...)
		}
		return out
	}
	wantQ, wantK, wantV := part(0), part(1), part(2)
	cpu.Rope(wantQ, d, head, base, c.RopeBase)
	cpu.Rope(wantK, d, head, base, c.RopeBase)
	near(t, wantQ, unpadded(gotQ, d), roundingError)
	near(t, wantK, unpadded(b.read(keys, c.Window*stride), d)[base*d:], roundingError)
	near(t, wantV, unpadded(b.read(values, c.Window*stride), d)[base*d:], exact)
}

func testAttend(t *testing.T, b bench, rng *rand.Rand) {
	heads, head := 1+rng.IntN(4), 2*(1+rng.IntN(64))
	if rng.IntN(6) == 0 {
		head = 256
	}
	d, block := heads*head, 1+rng.IntN(6)
	rows, base := 1+rng.IntN(3*block), block*rng.IntN(200/block)
	q, k, v := normal(rng, rows*d), normal(rng, (base+rows)*d), normal(rng, (base+rows)*d)
	stride := gpu.Pad(d)
	out := b.buffer(make([]float32, rows*stride))
	got := b.run("attend", [3]uint32{uint32(rows), uint32(heads), 1}, out, rows*stride,
		b.uniform(gpu.PassUniform{Base: uint32(base), Rows: uint32(rows), Block: uint32(block)}),
		b.uniform(gpu.Dims{Stride: uint32(stride), Head: uint32(head), Scale: float32(1 / math.Sqrt(float64(head)))}),
		b.buffer(padded(q, d)), b.buffer(padded(k, d)), b.buffer(padded(v, d)), out)
	want := cpu.Attend(q, k, v, d, head, func(t int) int { return runtime.Limit(base, t, rows, block) })
	near(t, want, unpadded(got, d), functionError)
}

func testDraw(t *testing.T, b bench, rng *rand.Rand) {
	vocab, rows := 2+rng.IntN(3000), 1+rng.IntN(6)
	mask := rng.IntN(vocab)
	spread := float32(0.1 + 5*rng.Float64())
	logits := normal(rng, rows*vocab)
	for i := range logits {
		logits[i] *= spread
		if rng.IntN(10) == 0 {
			logits[i] = float32(math.Round(float64(logits[i]))) // ties
		}
	}
	o := draw.Options{Seed: rng.Uint64(), Temperature: 1, TopP: 1}
	switch rng.IntN(5) {
	case 0:
		o.Temperature = 0
	case 1:
		o.TopP = 0.05 + 0.9*rng.Float32()
	case 2:
		o.TopK = 1 + rng.IntN(vocab)
	case 3:
		o.Temperature, o.TopP, o.TopK = 0.3+rng.Float32(), 0.9, 1+rng.IntN(vocab)
	}
	inputs := make([]gpu.DrawInput, rows)
	forced := make([]int, rows)
	for i := range inputs {
		inputs[i], forced[i] = gpu.DrawInput{Uniform: o.Uniform(i), Forced: gpu.NotForced}, -1
		if rng.IntN(4) == 0 && vocab > 2 {
			forced[i] = (mask + 1) % vocab
			inputs[i].Forced = uint32(forced[i])
		}
	}
	u := gpu.PassUniform{Vocab: uint32(vocab), Mask: uint32(mask), LogitStride: uint32(gpu.Pad(vocab)), TopK: uint32(o.TopK), TopP: o.TopP}
	if o.Temperature == 0 {
		u.Greedy = 1
	} else {
		u.InvTemperature = 1 / o.Temperature
	}
	out := b.buffer(make([]float32, 4*rows))
	got := b.run("draw", [3]uint32{uint32(rows), 1, 1}, out, 4*rows, b.uniform(u), b.buffer(padded(logits, vocab)), b.buffer(inputs), out)
	for i := range rows {
		want := cpu.Draw(logits[i*vocab:(i+1)*vocab], mask, inputs[i].Uniform, &o, forced[i])
		require.Equal(t, uint32(want.Token), math.Float32bits(got[4*i]), "%+v, V %d", o, vocab)
		require.InDelta(t, want.LogProb, got[4*i+1], 1e-4)
		require.InDelta(t, want.Entropy, got[4*i+2], 1e-4)
	}
}
