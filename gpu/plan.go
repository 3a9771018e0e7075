package gpu

import (
	"math"

	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/gpu/shaders"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/tensor"
)

// Sizes, as the kernels declare them.
const (
	lanes        = 64 // of a workgroup of embed
	tallTile     = 4  // rows of a tile
	minPassRows  = 64
	largestHead  = 256 // attend's workgroup memory
	bytesPerWord = 4
)

// plan turns passes over a model into recordings: Config and buffers in, commands out.
type plan struct {
	c        model.Config
	half     bool   // weights are f16
	variant  string // type of weights that kernels are built for
	headRows int    // most rows of one head
	weights  map[string]weight
	uses     map[string][]dims       // by name: a use's fixed uniforms, one for each part of its weight
	tiles    map[string]shaders.Tile // by use
	names    map[string]string       // of the kernels, by use
	b        buffers
}

// buffers are those beside the weights.
type buffers struct {
	pass, state, tokens, draws, drawn record.BufferID
	zeros                             record.BufferID // stands for a missing bias
	turns                             record.BufferID
	x, q, o, inner, logits            record.BufferID
	keys, values                      []record.BufferID            // a layer
	dims                              map[string][]record.BufferID // by use, and part of its weight
}

// use is one way in which a kernel is used. Layers share it: their weights have the same shape.
type use struct {
	kernel string
	weight string // of the first layer, where it has one
	dims   dims
}

// Names of uses.
const (
	useEmbed  = "embed"
	useQKV    = "qkv"
	useAttend = "attend"
	useOut    = "out"
	useUp     = "up"
	useDown   = "down"
	useHead   = "head"
)

// tiled lists the uses whose tile can be chosen.
var tiled = []string{useQKV, useOut, useUp, useDown, useHead}

// uses lists what kernels are used for, with the fixed part of their uniforms, and the weight whose
// parts each use runs over.
func uses(c *model.Config) map[string]use {
	d, f := uint32(c.Hidden), uint32(c.Inner)
	dp, fp := uint32(pad(c.Hidden)), uint32(pad(c.Inner))
	eps, head, heads, window := float32(c.NormEps), uint32(c.HeadDim()), uint32(c.Heads), uint32(c.Window)
	scale := float32(1 / math.Sqrt(float64(head)))
	return map[string]use{
		useEmbed:  {"embed", model.Embedding, dims{Width: d, Stride: dp}},
		useQKV:    {"qkv", model.Layer(0, model.QKVWeight), dims{Width: d, Stride: dp, Head: head, Heads: heads, Window: window, Epsilon: eps, Scale: scale}},
		useAttend: {"attend", "", dims{OutStride: dp, Head: head, Heads: heads, Window: window}},
		useOut:    {"matmul", model.Layer(0, model.OutWeight), dims{Width: d, Stride: dp, OutStride: dp}},
		useUp:     {"expand", model.Layer(0, model.UpWeight), dims{Width: d, Stride: dp, OutStride: fp, Epsilon: eps}},
		useDown:   {"matmul", model.Layer(0, model.DownWeight), dims{Width: f, Stride: fp, OutStride: dp}},
		useHead:   {"head", model.HeadWeight, dims{Width: d, Stride: dp, OutStride: uint32(pad(c.Vocab)), Epsilon: eps}},
	}
}

// parts returns the uniforms of a use, one for each buffer that its weight lies in; two for embed.
func (p *plan) parts(u use) []dims {
	if u.weight == "" {
		return []dims{u.dims}
	}
	var out []dims
	for _, spec := range p.c.Tensors() {
		if spec.Name != u.weight {
			continue
		}
		each, step := p.weights[u.weight].rows, 1
		if u.kernel == "embed" {
			step = 2
		}
		for first := 0; first < spec.Shape[0]; first += step * each {
			part := u.dims
			part.First, part.Outputs = uint32(first), uint32(min(each, spec.Shape[0]-first))
			part.Second = uint32(min(first+each, spec.Shape[0]))
			out = append(out, part)
		}
	}
	return out
}

// setTiles decides the variant of each use's kernel; embed has none.
func (p *plan) setTiles(tiles map[string]shaders.Tile) {
	p.tiles, p.names = tiles, map[string]string{}
	for name, u := range uses(&p.c) {
		p.names[name] = shaders.Variant(u.kernel, p.variant, p.tileOf(name), p.quads())
	}
}

// tileOf is the tile of a use; attend goes by that of qkv.
func (p *plan) tileOf(name string) shaders.Tile {
	if name == useAttend {
		name = useQKV
	}
	return p.tiles[name]
}

// kernels are the variants that all uses need, and those without weights.
func (p *plan) kernels() []shaders.Kernel {
	out := []shaders.Kernel{shaders.Build("draw", "", shaders.Tile{}, 0), shaders.Build("reveal", "", shaders.Tile{}, 0)}
	for name, u := range uses(&p.c) {
		out = append(out, shaders.Build(u.kernel, p.variant, p.tileOf(name), p.quads()))
	}
	return out
}

// quads is the width of an attention head in vectors of four.
func (p *plan) quads() int { return pad(p.c.HeadDim()) / 4 }

func groups(n, size int) uint32 { return uint32((n + size - 1) / size) }

// body records the transformer over rows tokens behind base committed ones, as pass number slot: the
// residual stream is left in x, their keys and values in the cache.
func (p *plan) body(r *record.Recording, slot, rows, base int) {
	d, b := p.c.Hidden, &p.b
	tables := p.weights[model.Embedding].buffers
	for i := range p.uses[useEmbed] {
		r.Add(record.Command{
			Kernel: p.names[useEmbed], Label: useEmbed, Slot: slot, Groups: [3]uint32{groups(pad(d)/4, lanes), uint32(rows), 1},
			Bindings: []record.BufferID{b.pass, b.dims[useEmbed][i], b.state, b.tokens, tables[2*i], tables[min(2*i+1, len(tables)-1)], b.x},
			Read:     int64(rows * d * p.weightSize()), Written: int64(rows * d * bytesPerWord),
		})
	}
	for i := range p.c.Layers {
		name := func(suffix string) string { return model.Layer(i, suffix) }
		norm := func(suffix string) record.BufferID { return p.weights[name(suffix)].buffers[0] }
		p.matmul(r, useQKV, slot, rows, name(model.QKVWeight), func(w record.BufferID) []record.BufferID {
			return []record.BufferID{b.x, norm(model.Norm1Weight), w, b.turns, b.q, b.keys[i], b.values[i]}
		})
		r.Add(record.Command{
			Kernel: p.names[useAttend], Label: name("attend"), Slot: slot, Groups: [3]uint32{groups(rows, tallTile), uint32(p.c.Heads), 1},
			Bindings: []record.BufferID{b.pass, b.dims[useAttend][0], b.state, b.q, b.keys[i], b.values[i], b.o},
			Read:     int64((rows + 2*(base+rows)) * d * bytesPerWord), Written: int64(rows * d * bytesPerWord), FLOPs: int64(4 * rows * (base + rows) * d),
		})
		p.matmul(r, useOut, slot, rows, name(model.OutWeight), func(w record.BufferID) []record.BufferID {
			return []record.BufferID{b.o, w, b.zeros, b.x}
		})
		p.matmul(r, useUp, slot, rows, name(model.UpWeight), func(w record.BufferID) []record.BufferID {
			return []record.BufferID{b.x, norm(model.Norm2Weight), w, p.weights[name(model.UpBias)].buffers[0], b.inner}
		})
		p.matmul(r, useDown, slot, rows, name(model.DownWeight), func(w record.BufferID) []record.BufferID {
			return []record.BufferID{b.inner, w, p.weights[name(model.DownBias)].buffers[0], b.x}
		})
	}
}

// head records the final norm and the LM head for at most asks rows: those listed in the state.
func (p *plan) head(r *record.Recording, slot, asks int) {
	b := &p.b
	p.matmul(r, useHead, slot, asks, model.HeadWeight, func(w record.BufferID) []record.BufferID {
		return []record.BufferID{b.x, p.weights[model.FinalNormWeight].buffers[0], w, p.weights[model.HeadBias].buffers[0], b.logits}
	})
}

// draw records the draw of a token for each of at most asks rows of logits.
func (p *plan) draw(r *record.Recording, slot, asks int) {
	r.Add(record.Command{
		Kernel: "draw", Label: "draw", Slot: slot, Groups: [3]uint32{uint32(asks), 1, 1},
		Bindings: []record.BufferID{p.b.pass, p.b.state, p.b.logits, p.b.draws, p.b.drawn},
		Read:     int64(asks * p.c.Vocab * bytesPerWord), Written: int64(asks * drawOutputSize), FLOPs: int64(8 * asks * p.c.Vocab),
	})
}

// reveal records the policy's choice among the candidates.
func (p *plan) reveal(r *record.Recording, slot, asks int) {
	r.Add(record.Command{
		Kernel: "reveal", Label: "reveal", Slot: slot, Groups: [3]uint32{1, 1, 1},
		Bindings: []record.BufferID{p.b.pass, p.b.state, p.b.tokens, p.b.drawn},
		Read:     int64(asks * drawOutputSize), Written: int64(asks * drawOutputSize), FLOPs: int64(asks * asks),
	})
}

// matmul records a use over every part of its weight; rest lists the bindings behind the uniforms and
// the state.
func (p *plan) matmul(r *record.Recording, name string, slot, rows int, weight string, rest func(w record.BufferID) []record.BufferID) {
	kernel, tile := p.names[name], p.tiles[name]
	for i, d := range p.uses[name] {
		in, outs := int(d.Width), int(d.Outputs)
		r.Add(record.Command{
			Kernel: kernel, Label: weight, Slot: slot, Groups: [3]uint32{groups(outs, tile.Outputs()), groups(rows, tallTile), 1},
			Bindings: append([]record.BufferID{p.b.pass, p.b.dims[name][i], p.b.state}, rest(p.weights[weight].buffers[i])...),
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
