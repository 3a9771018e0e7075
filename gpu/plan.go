package gpu

import (
	"math"

	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/gpu/shaders"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/tensor"
)

// Sizes of workgroups, as the kernels declare them.
const (
	lanes        = 64
	matmulTile   = 4 // rows, and outputs, of one invocation
	maxHeadRows  = 32
	minPassRows  = 64
	largestHead  = 256 // attend's shared memory
	bytesPerWord = 4
)

// plan turns passes over a model into recordings: Config and buffers in, commands out.
type plan struct {
	c       model.Config
	half    bool              // weights are f16
	weights map[string]weight // by tensor name
	uses    map[string][]dims // by name: a use's fixed uniforms, one for each part of its weight
	b       buffers
}

// buffers are those beside the weights.
type buffers struct {
	pass, tokens, identity, asked, draws, drawn record.BufferID
	zeros                                       record.BufferID // stands for a missing bias
	turns                                       record.BufferID
	x, y, qkv, q, o, inner, logits              record.BufferID
	keys, values                                []record.BufferID            // a layer
	dims                                        map[string][]record.BufferID // by use, and part of its weight
}

func (p *plan) variant(kernel string) string {
	if p.half {
		return shaders.Variant(kernel, "f16")
	}
	return shaders.Variant(kernel, "f32")
}

// uses lists what kernels are used for, with the fixed part of their uniforms, and the weight whose
// parts each use runs over.
func uses(c *model.Config) map[string]use {
	d, f := uint32(c.Hidden), uint32(c.Inner)
	dp, fp := uint32(pad(c.Hidden)), uint32(pad(c.Inner))
	eps, head := float32(c.NormEps), uint32(c.HeadDim())
	return map[string]use{
		"embed":  {model.Embedding, dims{Width: d, Stride: dp}},
		"norm":   {"", dims{Width: d, Stride: dp, Epsilon: eps}},
		"qkv":    {model.Layer(0, model.QKVWeight), dims{Width: d, Stride: dp, OutStride: uint32(pad(3 * c.Hidden))}},
		"rope":   {"", dims{Stride: uint32(pad(3 * c.Hidden)), Outputs: d, OutStride: dp, Head: head}},
		"attend": {"", dims{Stride: dp, Head: head, Scale: float32(1 / math.Sqrt(float64(head)))}},
		"out":    {model.Layer(0, model.OutWeight), dims{Width: d, Stride: dp, OutStride: dp, Epilogue: epilogueAdd}},
		"up":     {model.Layer(0, model.UpWeight), dims{Width: d, Stride: dp, OutStride: fp, Epilogue: epilogueGELU}},
		"down":   {model.Layer(0, model.DownWeight), dims{Width: f, Stride: fp, OutStride: dp, Epilogue: epilogueAdd}},
		"head":   {model.HeadWeight, dims{Width: d, Stride: dp, OutStride: uint32(pad(c.Vocab))}},
	}
}

// use is one way in which a kernel is used. Layers share it: their weights have the same shape.
type use struct {
	weight string
	dims   dims
}

// parts returns the uniforms of a use, one for each buffer that its weight lies in.
func (p *plan) parts(u use) []dims {
	if u.weight == "" {
		return []dims{u.dims}
	}
	var out []dims
	for _, spec := range p.c.Tensors() {
		if spec.Name != u.weight {
			continue
		}
		each := p.weights[u.weight].rows
		for first := 0; first < spec.Shape[0]; first += each {
			part := u.dims
			part.First, part.Outputs = uint32(first), uint32(min(each, spec.Shape[0]-first))
			out = append(out, part)
		}
	}
	return out
}

func groups(n, size int) uint32 { return uint32((n + size - 1) / size) }

// body records the transformer over rows tokens behind base committed ones: the residual stream is
// left in x, their keys and values in the cache.
func (p *plan) body(rows, base int) *record.Recording {
	r := &record.Recording{}
	d, b := p.c.Hidden, &p.b
	for i, table := range p.weights[model.Embedding].buffers {
		r.Add(record.Command{
			Kernel: p.variant("embed"), Label: "embed", Groups: [3]uint32{groups(pad(d)/4, lanes), uint32(rows), 1},
			Bindings: []record.BufferID{b.pass, b.dims["embed"][i], b.tokens, table, b.x},
			Read:     int64(rows * d * p.weightSize()), Written: int64(rows * d * bytesPerWord),
		})
	}
	for i := range p.c.Layers {
		name := func(suffix string) string { return model.Layer(i, suffix) }
		p.norm(r, rows, b.x, b.identity, name(model.Norm1Weight), name(model.Norm1Bias))
		p.matmul(r, "qkv", rows, b.y, name(model.QKVWeight), "", b.qkv)
		r.Add(record.Command{
			Kernel: "rope", Label: name("rope"), Groups: [3]uint32{groups(d/2, lanes), uint32(rows), 1},
			Bindings: []record.BufferID{b.pass, b.dims["rope"][0], b.qkv, b.turns, b.q, b.keys[i], b.values[i]},
			Read:     int64(3 * rows * d * bytesPerWord), Written: int64(3 * rows * d * bytesPerWord), FLOPs: int64(6 * rows * d),
		})
		r.Add(record.Command{
			Kernel: "attend", Label: name("attend"), Groups: [3]uint32{uint32(rows), uint32(p.c.Heads), 1},
			Bindings: []record.BufferID{b.pass, b.dims["attend"][0], b.q, b.keys[i], b.values[i], b.o},
			Read:     int64((rows + 2*(base+rows)) * d * bytesPerWord), Written: int64(rows * d * bytesPerWord), FLOPs: int64(4 * rows * (base + rows) * d),
		})
		p.matmul(r, "out", rows, b.o, name(model.OutWeight), "", b.x)
		p.norm(r, rows, b.x, b.identity, name(model.Norm2Weight), name(model.Norm2Bias))
		p.matmul(r, "up", rows, b.y, name(model.UpWeight), name(model.UpBias), b.inner)
		p.matmul(r, "down", rows, b.inner, name(model.DownWeight), name(model.DownBias), b.x)
	}
	return r
}

// head records the final norm and the LM head for the asks rows listed in the buffer asked.
func (p *plan) head(r *record.Recording, asks int) {
	p.norm(r, asks, p.b.x, p.b.asked, model.FinalNormWeight, model.FinalNormBias)
	p.matmul(r, "head", asks, p.b.y, model.HeadWeight, model.HeadBias, p.b.logits)
}

// draw records the draw of a token for each of asks rows of logits.
func (p *plan) draw(r *record.Recording, asks int) {
	r.Add(record.Command{
		Kernel: "draw", Label: "draw", Groups: [3]uint32{uint32(asks), 1, 1},
		Bindings: []record.BufferID{p.b.pass, p.b.logits, p.b.draws, p.b.drawn},
		Read:     int64(asks * p.c.Vocab * bytesPerWord), Written: int64(asks * drawnSize), FLOPs: int64(8 * asks * p.c.Vocab),
	})
}

func (p *plan) norm(r *record.Recording, rows int, x, which record.BufferID, weight, bias string) {
	r.Add(record.Command{
		Kernel: "layernorm", Label: weight, Groups: [3]uint32{uint32(rows), 1, 1},
		Bindings: []record.BufferID{p.b.dims["norm"][0], x, which, p.weights[weight].buffers[0], p.weights[bias].buffers[0], p.b.y},
		Read:     int64((rows + 2) * p.c.Hidden * bytesPerWord), Written: int64(rows * p.c.Hidden * bytesPerWord), FLOPs: int64(8 * rows * p.c.Hidden),
	})
}

func (p *plan) matmul(r *record.Recording, name string, rows int, x record.BufferID, weight, bias string, out record.BufferID) {
	biasID := p.b.zeros
	if bias != "" {
		biasID = p.weights[bias].buffers[0]
	}
	for i, d := range p.uses[name] {
		in, outs := int(d.Width), int(d.Outputs)
		r.Add(record.Command{
			Kernel: p.variant("matmul"), Label: weight, Groups: [3]uint32{groups(outs, matmulTile*lanes), groups(rows, matmulTile), 1},
			Bindings: []record.BufferID{p.b.dims[name][i], x, p.weights[weight].buffers[i], biasID, out},
			Read:     int64(in*outs*p.weightSize() + rows*in*bytesPerWord), Written: int64(rows * outs * bytesPerWord), FLOPs: int64(2 * rows * in * outs),
		})
	}
}

func (p *plan) weightSize() int {
	if p.half {
		return tensor.F16.Size()
	}
	return tensor.F32.Size()
}
