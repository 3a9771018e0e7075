package gpu

import (
	"context"
	"errors"
	"fmt"

	"github.com/unmask-lm/unmask/gpu/device"
	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/gpu/shaders"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// core is a device with a model on it: all that is lost when the device is.
type core struct {
	plan
	device *device.Device
	length int // committed tokens
	rows   int // most rows of one pass
	slots  int // most passes that are written down at once
	tuned  bool
	data   []byte
	record record.Recording
}

// Start is a device on which the kernels for a model are being compiled, while its weights are still
// on their way.
type Start struct {
	core *core
	err  error
	done chan struct{}
}

// Begin opens a device and compiles the kernels for a model, in the background; New waits for it.
func Begin(ctx context.Context, m model.Config, quantization string, o Options) *Start {
	s := &Start{done: make(chan struct{})}
	go func() {
		defer close(s.done)
		if s.err = checkModel(&m); s.err == nil {
			s.core, s.err = begin(ctx, m, quantization == "f16", o)
		}
	}()
	return s
}

// Abandon frees the device of a Start that New was not given.
func (s *Start) Abandon() {
	<-s.done
	if s.core != nil {
		s.core.close()
	}
}

func begin(ctx context.Context, m model.Config, half bool, o Options) (*core, error) {
	d, err := takeDevice(ctx)
	if err != nil {
		return nil, err
	}
	c := &core{device: d, rows: max(minPassRows, 2*m.Block), slots: 1}
	c.c, c.half, c.headRows = m, half, min(maxHeadRows, m.Block)
	if c.canStep() {
		c.slots = m.Block
	}
	c.variant = shaders.F32
	if c.half {
		c.variant = shaders.F16
	}
	if c.half && d.Features[shaders.FeatureF16] {
		c.variant = shaders.Native
	}
	tiles, known := c.remembered(o)
	c.setTiles(tiles)
	c.tuned = known
	if err := c.compile(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return c, nil
}

// finish uploads the weights of a pack and makes the rest.
func (c *core) finish(ctx context.Context, p *model.Pack, o Options) error {
	var err error
	if c.weights, err = upload(c.device, p, o.binding()); err != nil {
		return err
	}
	if err := c.allocate(); err != nil {
		return err
	}
	if c.tuned {
		return nil
	}
	return c.tune(ctx, o.Tuning)
}

// newCore opens a device, compiles kernels, uploads the weights of a pack and chooses its tiles.
func newCore(ctx context.Context, p *model.Pack, o Options) (*core, error) {
	if err := checkModel(&p.Config); err != nil {
		return nil, err
	}
	if o.Start == nil {
		o.Start = Begin(ctx, p.Config, p.Manifest.Quantization, o)
	}
	<-o.Start.done
	c, err := o.Start.core, o.Start.err
	if err != nil {
		return nil, err
	}
	if c.c != p.Config || c.half != (p.Manifest.Quantization == "f16") {
		c.close()
		return nil, errors.New("gpu: the kernels were started for another model")
	}
	if err := c.finish(ctx, p, o); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// compile compiles the kernels. Where a device has a feature and its compiler refuses what needs it,
// the plain variants serve.
func (c *core) compile(ctx context.Context) error {
	err := c.device.Compile(ctx, c.kernels())
	if err != nil && c.variant == shaders.Native {
		c.variant = shaders.F16
		c.setTiles(sameTile(shaders.Tiles[0]))
		err = c.device.Compile(ctx, c.kernels())
	}
	return err
}

// maxHeadRows bounds the rows of logits at once, and with them the candidates that reveal ranks.
const maxHeadRows = 64

// canStep tells whether reveal can hold the candidates of a block.
func (c *core) canStep() bool { return c.c.Block <= maxHeadRows }

// allocate makes every buffer beside the weights.
func (c *core) allocate() error {
	m := &c.c
	d, f, v := pad(m.Hidden), pad(m.Inner), pad(m.Vocab)
	tall := func(n int) int { return (n + tallTile - 1) / tallTile * tallTile }
	rows, headRows, head := tall(c.rows), tall(c.headRows), pad(m.HeadDim())
	var err error
	buffer := func(label string, size int, usage device.Usage) (id record.BufferID) {
		if err == nil {
			id, err = c.device.NewBuffer(label, int64(size), usage)
		}
		return id
	}
	words := func(label string, n int) record.BufferID { return buffer(label, n*bytesPerWord, device.Storage) }
	b := &c.b
	b.pass = buffer("pass", c.slots*device.SlotSize, device.Uniform)
	b.state, b.tokens = buffer("state", stateHeader+c.headRows*bytesPerWord, device.Storage), words("tokens", c.rows)
	b.draws = buffer("draws", c.slots*m.Block*drawInputSize, device.Storage)
	b.drawn = buffer("drawn", c.slots*c.headRows*drawOutputSize, device.Storage)
	b.zeros, b.turns = words("zeros", 3*d), words("turns", m.Window*m.HeadDim())
	b.x, b.q, b.o = words("x", rows*d), words("q", rows*m.Heads*head), words("o", rows*d)
	b.inner, b.logits = words("inner", rows*f), words("logits", headRows*v)
	b.keys, b.values = nil, nil
	for range m.Layers {
		b.keys, b.values = append(b.keys, words("keys", m.Window*m.Heads*head)), append(b.values, words("values", m.Window*m.Heads*head))
	}
	b.dims, c.uses = map[string][]record.BufferID{}, map[string][]dims{}
	for name, u := range uses(m) {
		c.uses[name] = c.parts(u)
		for _, part := range c.uses[name] {
			data := part.append(nil)
			id := buffer("dims."+name, len(data), device.Uniform)
			if err == nil {
				err = c.device.Write(id, 0, data)
			}
			b.dims[name] = append(b.dims[name], id)
		}
	}
	if err != nil {
		return err
	}
	if err := c.device.Write(b.turns, 0, floatBytes(turns(m))); err != nil {
		return err
	}
	return c.device.Err()
}

// write writes tokens, and the rows of the head that the first pass asks for; with none, the body runs
// all the same.
func (c *core) write(tokens, asked []int) error {
	c.data = words(c.data[:0], uint32(max(1, len(asked))), 0, 0, 0)
	for _, row := range asked {
		c.data = words(c.data, uint32(row))
	}
	if err := c.device.Write(c.b.state, 0, c.data); err != nil {
		return err
	}
	c.data = c.data[:0]
	for _, id := range tokens {
		c.data = words(c.data, uint32(id))
	}
	return c.device.Write(c.b.tokens, 0, c.data)
}

// uniform is the uniform of a pass over rows rows, the canvas being the last of them.
func (c *core) uniform(rows, canvas int, o *draw.Options) passUniform {
	u := passUniform{
		Base: uint32(c.length), Rows: uint32(rows), Lead: uint32(rows - canvas), CanvasRows: uint32(canvas), Block: uint32(c.c.Block),
		Vocab: uint32(c.c.Vocab), Mask: uint32(c.c.Mask), LogitStride: uint32(pad(c.c.Vocab)),
		TopK: uint32(o.TopK), TopP: o.TopP, SlotRows: uint32(c.c.Block),
	}
	if o.Temperature == 0 {
		u.Greedy = 1
	} else {
		u.InvTemperature = 1 / o.Temperature
	}
	return u
}

// writeSlot writes a pass uniform.
func (c *core) writeSlot(u *passUniform) error {
	c.data = u.append(c.data[:0])
	return c.device.Write(c.b.pass, int64(u.Slot)*device.SlotSize, c.data)
}

// commit runs checked tokens, as many whole blocks a pass as fit.
func (c *core) commit(ctx context.Context, tokens []int) error {
	most := c.rows / c.c.Block * c.c.Block
	for len(tokens) > 0 {
		n := min(len(tokens), most)
		u := c.uniform(n, 0, &draw.Options{})
		if err := c.writeSlot(&u); err != nil {
			return err
		}
		if err := c.write(tokens[:n], nil); err != nil {
			return err
		}
		c.record.Commands = c.record.Commands[:0]
		c.body(&c.record, 0, n, c.length)
		// Waiting for four bytes keeps the host from running far ahead of the GPU.
		if _, err := c.device.Run(ctx, &c.record, c.b.drawn, bytesPerWord); err != nil {
			return err
		}
		c.length += n
		tokens = tokens[n:]
	}
	return nil
}

// denoise runs one pass over fused clean tokens and a canvas, and hands over what the head of some rows
// of the canvas gives: read tells how much of which buffer that is.
func (c *core) denoise(ctx context.Context, fused, canvas, rows []int, o *draw.Options, drawing bool, each func(some []int, data []byte)) error {
	tokens := append(append(make([]int, 0, len(fused)+len(canvas)), fused...), canvas...)
	u := c.uniform(len(tokens), len(canvas), o)
	if err := c.writeSlot(&u); err != nil {
		return err
	}
	c.record.Commands = c.record.Commands[:0]
	c.body(&c.record, 0, len(tokens), c.length)
	// Most passes ask for at most headRows rows and are one submission; the head runs again for more.
	for first := 0; first == 0 || first < len(rows); first += c.headRows {
		some := rows[first:min(first+c.headRows, len(rows))]
		if err := c.write(tokens, some); err != nil {
			return err
		}
		from, size := c.b.logits, len(some)*pad(c.c.Vocab)*bytesPerWord
		if len(some) > 0 {
			c.head(&c.record, 0, len(some))
		}
		if drawing && len(some) > 0 {
			if err := c.writeDraws(0, canvas, some, first, o); err != nil {
				return err
			}
			c.draw(&c.record, 0, len(some))
			from, size = c.b.drawn, len(some)*drawOutputSize
		}
		if len(some) == 0 {
			size = bytesPerWord
		}
		data, err := c.device.Run(ctx, &c.record, from, int64(size))
		if err != nil {
			return err
		}
		each(some, data)
		c.record.Commands = c.record.Commands[:0]
	}
	c.length += len(fused)
	return nil
}

// writeDraws writes what decides the rows of a canvas in the pass of a slot; first is the number of
// the first of asked among all that were asked for.
func (c *core) writeDraws(slot int, canvas, asked []int, first int, o *draw.Options) error {
	c.data = c.data[:0]
	for row := range canvas {
		c.data = drawInput{o.Uniform(row), notForced}.append(c.data)
	}
	if o.Force != nil {
		for i, row := range asked {
			copy(c.data[row*drawInputSize:], drawInput{o.Uniform(row), uint32(o.Force[first+i])}.append(nil))
		}
	}
	return c.device.Write(c.b.draws, int64(slot*c.c.Block*drawInputSize), c.data)
}

// candidate reads one row of what comes back.
func candidate(row int, data []byte) draw.Candidate {
	d := parseDrawn(data)
	return draw.Candidate{Row: row, Token: int(d.Token), LogProb: float64(d.LogProb), Entropy: float64(d.Entropy)}
}

func (c *core) close() { giveDevice(c.device) }

// checkModel refuses what the kernels can not run.
func checkModel(c *model.Config) error {
	if c.HeadDim() > largestHead {
		return fmt.Errorf("attention heads are %d wide, the GPU engine runs up to %d; use --engine cpu", c.HeadDim(), largestHead)
	}
	return nil
}
