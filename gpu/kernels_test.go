package gpu_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/gpu/shaders"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/tensor"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// Tolerances of single kernels, relative to values of about 1.
const (
	exact         = 0    // copies
	roundingError = 1e-5 // sums of some hundred float32 products
	functionError = 2e-5 // exp and tanh may be off by a few units in the last place
)

// rounds is how many random shapes each kernel is tried on.
const rounds = 12

// kernelTests has one test a WGSL file, against the oracle's.
var kernelTests = map[string]func(t *testing.T, b bench, rng *rand.Rand){
	"embed":  testEmbed,
	"qkv":    testQKV,
	"attend": testAttend,
	"matmul": testMatMul,
	"expand": testExpand,
	"head":   testHead,
	"draw":   testDraw,
	"reveal": testReveal,
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

// state is the twin of State in shaders/lib/state.wgsl.
func (b bench) state(asked ...uint32) record.BufferID {
	return b.buffer(append(append([]uint32{uint32(max(1, len(asked))), 0, 0, 0}, asked...), 0))
}

// tile is a random tile that the device can run.
func (b bench) tile(rng *rand.Rand) shaders.Tile {
	for {
		tile := shaders.Tiles[rng.IntN(len(shaders.Tiles))]
		if !tile.Subgroups || b.d.Features[shaders.FeatureSubgroups] {
			return tile
		}
	}
}

// tallRows pads rows to whole tiles of 4.
func tallRows(x []float32, width, rows int) []float32 {
	return append(padded(x, width), make([]float32, ((rows+3)&^3-rows)*gpu.Pad(width))...)
}

// groupsOf is the dispatch of a matmul.
func groupsOf(outs, rows int, tile shaders.Tile) [3]uint32 {
	return [3]uint32{uint32((outs + tile.Outputs() - 1) / tile.Outputs()), uint32((rows + 3) / 4), 1}
}

func testEmbed(t *testing.T, b bench, rng *rand.Rand) {
	vocab, d, rows := 2+rng.IntN(500), 1+rng.IntN(300), 1+rng.IntN(40)
	held, data, variant := b.weights(normal(rng, vocab*d), d, rng.IntN(2) == 0)
	ids, tokens := make([]int, rows), make([]uint32, 3+rows)
	for i := range ids {
		ids[i] = rng.IntN(vocab)
		tokens[3+i] = uint32(ids[i])
	}
	stride, second := gpu.Pad(d), rng.IntN(vocab)+1
	cut := len(data) / vocab * second
	rest := append(data[cut:len(data):len(data)], make([]byte, 16)...)
	out := b.buffer(make([]float32, rows*stride))
	got := b.run(shaders.Build("embed", variant, shaders.Tile{}, 0), [3]uint32{uint32(stride/4+63) / 64, uint32(rows), 1}, out, rows*stride,
		b.uniform(gpu.PassUniform{Rows: uint32(rows), Skip: 3}), b.uniform(gpu.Dims{Width: uint32(d), Stride: uint32(stride), Outputs: uint32(second), Second: uint32(second)}),
		b.state(), b.buffer(tokens), b.buffer(data[:cut]), b.buffer(rest), out)
	near(t, cpu.Embed(held, ids, d), unpadded(got, d), exact)
}

// normBuffer lays scale and shift out as the kernels read them.
func (b bench) normBuffer(scale, shift []float32) record.BufferID {
	return b.buffer(append(padded(scale, len(scale)), padded(shift, len(shift))...))
}

// weight makes a random weight whose products stay about 1.
func weight(rng *rand.Rand, outs, in int) []float32 {
	w := normal(rng, outs*in)
	for i := range w {
		w[i] /= float32(math.Sqrt(float64(in)))
	}
	return w
}

func testMatMul(t *testing.T, b bench, rng *rand.Rand) {
	in, outs, rows := 1+rng.IntN(700), 1+rng.IntN(600), 1+rng.IntN(37)
	x, bias, before := normal(rng, rows*in), normal(rng, outs), normal(rng, rows*outs)
	held, data, variant := b.weights(weight(rng, outs, in), in, rng.IntN(2) == 0)
	tile := b.tile(rng)
	out := b.buffer(tallRows(before, outs, rows))
	got := b.run(shaders.Build("matmul", variant, tile, 0), groupsOf(outs, rows, tile), out, rows*gpu.Pad(outs),
		b.uniform(gpu.PassUniform{Rows: uint32(rows)}), b.uniform(gpu.Dims{Width: uint32(in), Stride: uint32(gpu.Pad(in)), Outputs: uint32(outs), OutStride: uint32(gpu.Pad(outs))}),
		b.state(), b.buffer(tallRows(x, in, rows)), b.buffer(data), b.buffer(bias), out)
	want := cpu.MatMul(x, held, bias, in)
	cpu.Add(want, before)
	near(t, want, unpadded(got, outs), functionError)
}

func testExpand(t *testing.T, b bench, rng *rand.Rand) {
	in, outs, rows := 2+rng.IntN(700), 1+rng.IntN(600), 1+rng.IntN(37)
	x, scale, shift, bias := normal(rng, rows*in), normal(rng, in), normal(rng, in), normal(rng, outs)
	held, data, variant := b.weights(weight(rng, outs, in), in, rng.IntN(2) == 0)
	tile := b.tile(rng)
	out := b.buffer(make([]float32, (rows+3)&^3*gpu.Pad(outs)))
	got := b.run(shaders.Build("expand", variant, tile, 0), groupsOf(outs, rows, tile), out, rows*gpu.Pad(outs),
		b.uniform(gpu.PassUniform{Rows: uint32(rows)}),
		b.uniform(gpu.Dims{Width: uint32(in), Stride: uint32(gpu.Pad(in)), Outputs: uint32(outs), OutStride: uint32(gpu.Pad(outs)), Epsilon: 1e-5}),
		b.state(), b.buffer(tallRows(x, in, rows)), b.normBuffer(scale, shift), b.buffer(data), b.buffer(bias), out)
	want := cpu.MatMul(cpu.LayerNorm(x, scale, shift, 1e-5), held, bias, in)
	cpu.GELU(want)
	near(t, want, unpadded(got, outs), functionError)
}

func testHead(t *testing.T, b bench, rng *rand.Rand) {
	in, outs, rows, lead := 2+rng.IntN(300), 2+rng.IntN(900), 1+rng.IntN(20), rng.IntN(5)
	x, scale, shift, bias := normal(rng, (lead+rows)*in), normal(rng, in), normal(rng, in), normal(rng, outs)
	held, data, variant := b.weights(weight(rng, outs, in), in, rng.IntN(2) == 0)
	asked := make([]uint32, 1+rng.IntN(rows))
	var chosen []float32
	for i := range asked {
		asked[i] = uint32(rng.IntN(rows))
		row := lead + int(asked[i])
		chosen = append(chosen, x[row*in:(row+1)*in]...)
	}
	tile := b.tile(rng)
	out := b.buffer(make([]float32, (rows+3)&^3*gpu.Pad(outs)))
	got := b.run(shaders.Build("head", variant, tile, 0), groupsOf(outs, rows, tile), out, len(asked)*gpu.Pad(outs), // over-dispatched
		b.uniform(gpu.PassUniform{Rows: uint32(lead + rows), Lead: uint32(lead)}),
		b.uniform(gpu.Dims{Width: uint32(in), Stride: uint32(gpu.Pad(in)), Outputs: uint32(outs), OutStride: uint32(gpu.Pad(outs)), Epsilon: 1e-5}),
		b.state(asked...), b.buffer(padded(x, in)), b.normBuffer(scale, shift), b.buffer(data), b.buffer(bias), out)
	near(t, cpu.MatMul(cpu.LayerNorm(chosen, scale, shift, 1e-5), held, bias, in), unpadded(got, outs), functionError)
}

// cacheOf lays keys (n, D) and values out as qkv files them.
func cacheOf(k, v []float32, heads, head, window int) (keys, values []float32) {
	wide := gpu.Pad(head)
	keys, values = make([]float32, heads*wide*window), make([]float32, heads*wide*window)
	for at := range k {
		position, h, d := at/(heads*head), at/head%heads, at%head
		keys[((h*wide/4+d/4)*window+position)*4+d%4] = k[at]
		values[(h*window+position)*wide+d] = v[at]
	}
	return keys, values
}

// headed lays queries (T, D) out with padded heads.
func headed(q []float32, head int) []float32 { return padded(q, head) }

func testQKV(t *testing.T, b bench, rng *rand.Rand) {
	heads, head := 1+rng.IntN(5), 2*(1+rng.IntN(33))
	d, rows, base := heads*head, 1+rng.IntN(9), rng.IntN(20)
	c := &model.Config{Hidden: d, Heads: heads, Window: base + rows, RopeBase: 10000}
	x, scale, shift := normal(rng, rows*d), normal(rng, d), normal(rng, d)
	held, data, variant := b.weights(weight(rng, 3*d, d), d, rng.IntN(2) == 0)
	wide := gpu.Pad(head)
	q, cache := b.buffer(make([]float32, rows*heads*wide)), make([]float32, heads*wide*c.Window)
	keys, values := b.buffer(cache), b.buffer(cache)
	tile := b.tile(rng)
	gotQ := b.run(shaders.Build("qkv", variant, tile, 0), groupsOf(3*d, rows, tile), q, rows*heads*wide,
		b.uniform(gpu.PassUniform{Base: uint32(base), Rows: uint32(rows)}),
		b.uniform(gpu.Dims{
			Width: uint32(d), Stride: uint32(gpu.Pad(d)), Outputs: uint32(3 * d), Head: uint32(head), Heads: uint32(heads),
			Window: uint32(c.Window), Epsilon: 1e-5, Scale: 0.5,
		}),
		b.state(), b.buffer(tallRows(x, d, rows)), b.normBuffer(scale, shift), b.buffer(data), b.buffer(gpu.Turns(c)), q, keys, values)
	y := cpu.LayerNorm(x, scale, shift, 1e-5)
	wantQ, wantK, wantV := cpu.MatMul(y, held[:d*d], nil, d), cpu.MatMul(y, held[d*d:2*d*d], nil, d), cpu.MatMul(y, held[2*d*d:], nil, d)
	cpu.Rope(wantQ, d, head, base, c.RopeBase)
	cpu.Rope(wantK, d, head, base, c.RopeBase)
	for i := range wantQ {
		wantQ[i] *= 0.5
	}
	near(t, headed(wantQ, head), gotQ, functionError)
	before := make([]float32, base*d)
	wantKeys, wantValues := cacheOf(append(before, wantK...), append(before, wantV...), heads, head, c.Window)
	near(t, wantKeys, b.read(keys, len(cache)), functionError)
	near(t, wantValues, b.read(values, len(cache)), functionError)
}

func testAttend(t *testing.T, b bench, rng *rand.Rand) {
	heads, head := 1+rng.IntN(4), 2*(1+rng.IntN(64))
	if rng.IntN(6) == 0 {
		head = 256
	}
	d, block := heads*head, 1+rng.IntN(6)
	rows, base := 1+rng.IntN(3*block), block*rng.IntN(400/block)
	q, k, v := normal(rng, rows*d), normal(rng, (base+rows)*d), normal(rng, (base+rows)*d)
	window := base + rows + rng.IntN(3)
	keys, values := cacheOf(k, v, heads, head, window)
	scaled := make([]float32, len(q))
	for i := range q {
		scaled[i] = q[i] / float32(math.Sqrt(float64(head)))
	}
	out := b.buffer(make([]float32, rows*gpu.Pad(d)))
	got := b.run(shaders.Build("attend", "", b.tile(rng), gpu.Pad(head)/4), [3]uint32{uint32(rows+3) / 4, uint32(heads), 1}, out, rows*gpu.Pad(d),
		b.uniform(gpu.PassUniform{Base: uint32(base), Rows: uint32(rows), Block: uint32(block)}),
		b.uniform(gpu.Dims{OutStride: uint32(gpu.Pad(d)), Head: uint32(head), Heads: uint32(heads), Window: uint32(window)}),
		b.state(), b.buffer(headed(scaled, head)), b.buffer(keys), b.buffer(values), out)
	want := cpu.Attend(q, k, v, d, head, func(t int) int { return runtime.Limit(base, t, rows, block) })
	near(t, want, unpadded(got, d), functionError)
}

// testReveal holds the kernel to the policies' own code, pass after pass.
func testReveal(t *testing.T, b bench, rng *rand.Rand) {
	canvas, lead := 1+rng.IntN(20), rng.IntN(3)
	rule := []policy.Rule{
		{Kind: policy.KindStatic, Parameter: float64(1 + rng.IntN(4))},
		{Kind: policy.KindConfidence, Parameter: 0.1 + 0.8*rng.Float64()},
		{Kind: policy.KindFactor, Parameter: 0.3 + 2*rng.Float64()},
		{Kind: policy.KindEntropy, Parameter: rng.Float64()},
	}[rng.IntN(4)]
	const mask = 77
	tokens := make([]uint32, lead+canvas)
	var asked []uint32
	for row := range canvas {
		if tokens[lead+row] = uint32(row); rng.IntN(4) > 0 {
			tokens[lead+row] = mask
			asked = append(asked, uint32(row))
		}
	}
	if len(asked) == 0 {
		return
	}
	state, held, drawn := b.state(append(asked, make([]uint32, canvas)...)...), b.buffer(tokens), b.buffer(make([]gpu.DrawOutput, canvas))
	require.NoError(t, b.d.Write(state, 0, gpu.Encode(append([]uint32{uint32(len(asked)), 0, 0, 0}, asked...))))
	u := gpu.PassUniform{Lead: uint32(lead), CanvasRows: uint32(canvas), SlotRows: uint32(canvas), Mask: mask, Rule: gpu.RuleOf(rule), Parameter: gpu.ParameterOf(rule)}
	for len(asked) > 0 {
		candidates, rows := make([]draw.Candidate, len(asked)), make([]gpu.DrawOutput, len(asked))
		for i, row := range asked {
			rows[i] = gpu.DrawOutput{Token: uint32(100 + rng.IntN(50)), LogProb: float32(math.Log(rng.Float64())), Entropy: rng.Float32()}
			if i > 0 && rng.IntN(3) == 0 { // ties
				rows[i].LogProb, rows[i].Entropy = rows[i-1].LogProb, rows[i-1].Entropy
			}
			candidates[i] = draw.Candidate{Row: int(row), Token: int(rows[i].Token), LogProb: float64(rows[i].LogProb), Entropy: float64(rows[i].Entropy)}
		}
		require.NoError(t, b.d.Write(drawn, 0, gpu.Encode(rows)))
		got := b.run(shaders.Build("reveal", "", shaders.Tile{}, 0), [3]uint32{1, 1, 1}, drawn, 4*len(asked), b.uniform(u), state, held, drawn)
		chosen := map[int]bool{}
		for _, c := range rule.Apply(candidates) {
			chosen[c.Row] = true
			tokens[lead+c.Row] = uint32(c.Token)
		}
		var rest []uint32
		for i, row := range asked {
			require.Equal(t, chosen[int(row)], math.Float32bits(got[4*i+3]) == 1, "%+v, row %d", rule, row)
			if !chosen[int(row)] {
				rest = append(rest, row)
			}
		}
		for i, token := range b.read(held, len(tokens)) {
			require.Equal(t, tokens[i], math.Float32bits(token))
		}
		now := b.read(state, 4+canvas)
		require.Equal(t, uint32(len(rest)), math.Float32bits(now[0]))
		for i, row := range rest {
			require.Equal(t, row, math.Float32bits(now[4+i]))
		}
		asked = rest
	}
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
	asked := make([]uint32, rows)
	for i := range asked {
		asked[i] = uint32(i)
	}
	u := gpu.PassUniform{SlotRows: uint32(rows), Vocab: uint32(vocab), Mask: uint32(mask), LogitStride: uint32(gpu.Pad(vocab)), TopK: uint32(o.TopK), TopP: o.TopP}
	if o.Temperature == 0 {
		u.Greedy = 1
	} else {
		u.InvTemperature = 1 / o.Temperature
	}
	out := b.buffer(make([]float32, 4*rows))
	got := b.run(shaders.Build("draw", "", shaders.Tile{}, 0), [3]uint32{uint32(rows), 1, 1}, out, 4*rows, b.uniform(u), b.state(asked...), b.buffer(padded(logits, vocab)), b.buffer(inputs), out)
	for i := range rows {
		want := cpu.Draw(logits[i*vocab:(i+1)*vocab], mask, inputs[i].Uniform, &o, forced[i])
		require.Equal(t, uint32(want.Token), math.Float32bits(got[4*i]), "%+v, V %d", o, vocab)
		require.InDelta(t, want.LogProb, got[4*i+1], 1e-4)
		require.InDelta(t, want.Entropy, got[4*i+2], 1e-4)
	}
}
