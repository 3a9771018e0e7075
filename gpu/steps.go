package gpu

import (
	"context"
	"fmt"
	"math"

	"github.com/unmask-lm/unmask/gpu/device"
	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// Rules of shaders/reveal.wgsl.
var rules = map[policy.Kind]uint32{
	policy.KindListed: 1, policy.KindStatic: 2, policy.KindConfidence: 3, policy.KindFactor: 4, policy.KindEntropy: 5,
}

// parameterOf is a rule's parameter as reveal.wgsl takes it: probabilities as logarithms.
func parameterOf(r policy.Rule) float32 {
	if r.Kind == policy.KindConfidence {
		return float32(max(math.Log(r.Parameter), -math.MaxFloat32))
	}
	return float32(min(r.Parameter, math.MaxFloat32))
}

// chunkOfPasses is some passes in one submission.
type chunkOfPasses struct {
	first, passes int
	pending       *device.Pending
}

// ahead is how many chunks may be under way: one runs while the next waits for it on the GPU.
const ahead = 2

// steps denoises a canvas behind fused clean tokens. All that its passes may need is written down first;
// then they are submitted, as many at once as a submission should hold, and their candidates read behind
// the work. A pass with nothing left to do ends at once.
func (c *core) steps(ctx context.Context, fused, canvas []int, rule policy.Rule, order []int, o *draw.Options, tell func(step int, revealed []draw.Candidate) error) error {
	masked := 0
	var asked []int
	for row, id := range canvas {
		if id == c.c.Mask {
			masked++
			asked = append(asked, row)
		}
	}
	if rule.Kind == policy.KindListed {
		if len(order) != masked {
			return fmt.Errorf("order of %d rows for %d masks", len(order), masked)
		}
		asked = order[:1]
	}
	if err := c.writeBlock(fused, canvas, asked, rule, order, o, masked); err != nil {
		return err
	}
	w := walk{core: c, canvas: canvas, fused: len(fused), asks: len(asked), rule: rule, left: masked, base: c.length}
	w.masked = append([]int(nil), asked...)
	if rule.Kind == policy.KindListed {
		w.order = order
	}
	return w.run(ctx, tell)
}

// writeBlock writes tokens and state, and for each pass its uniform and what decides its draws.
func (c *core) writeBlock(fused, canvas, asked []int, rule policy.Rule, order []int, o *draw.Options, passes int) error {
	tokens := append(append(make([]int, 0, len(fused)+len(canvas)), fused...), canvas...)
	if err := c.write(tokens, asked); err != nil {
		return err
	}
	slots := make([]byte, passes*device.SlotSize)
	draws := make([]byte, 0, passes*c.c.Block*drawInputSize)
	for slot := range passes {
		u := c.uniform(len(tokens), len(canvas), o)
		if slot > 0 {
			u.Base, u.Rows, u.Lead, u.Skip = u.Base+uint32(len(fused)), uint32(len(canvas)), 0, uint32(len(fused))
		}
		u.Rule, u.Parameter, u.Slot = rules[rule.Kind], parameterOf(rule), uint32(slot)
		u.NextRow = uint32(len(canvas))
		if slot+1 < len(order) {
			u.NextRow = uint32(order[slot+1])
		}
		copy(slots[slot*device.SlotSize:], u.append(c.data[:0]))
		at := *o
		at.Step = o.Step + slot
		for row := range c.c.Block {
			draws = drawInput{at.Uniform(row), notForced}.append(draws)
		}
	}
	if err := c.device.Write(c.b.pass, 0, slots); err != nil {
		return err
	}
	return c.device.Write(c.b.draws, 0, draws)
}

// walk goes through the passes of a block.
type walk struct {
	core   *core
	canvas []int
	fused  int
	asks   int // rows of the head at first
	rule   policy.Rule
	order  []int // of first-hitting
	masked []int // rows that the next pass to be read asked for
	left   int   // masks, as far as is known
	base   int   // committed tokens before the block
	next   int   // pass to submit
	flying []chunkOfPasses
}

func (w *walk) run(ctx context.Context, tell func(step int, revealed []draw.Candidate) error) error {
	for w.left > 0 {
		for len(w.flying) < ahead && w.underWay() < w.left {
			if err := w.submit(); err != nil {
				return err
			}
		}
		if err := w.read(ctx, tell); err != nil {
			return err
		}
	}
	return w.drain()
}

// underWay is the number of passes submitted and not read: each reveals at least one mask.
func (w *walk) underWay() (n int) {
	for _, f := range w.flying {
		n += f.passes
	}
	return n
}

// submit sends the next passes on their way.
func (w *walk) submit() error {
	c := w.core
	c.record.Commands = c.record.Commands[:0]
	most := w.left - w.underWay()
	f := chunkOfPasses{first: w.next}
	for f.passes < most {
		rows, base := len(w.canvas), w.base+w.fused
		if w.next == 0 {
			rows, base = rows+w.fused, w.base
		}
		c.body(&c.record, w.next, rows, base)
		c.head(&c.record, w.next, w.asks)
		c.draw(&c.record, w.next, w.asks)
		c.reveal(&c.record, w.next, w.asks)
		f.passes++
		w.next++
		if f.passes >= c.device.Fit(c.record.Cost()/int64(f.passes)) {
			break
		}
	}
	// candidates of a pass lie SlotRows apart, so that the readback is one piece
	stride := int64(c.c.Block * drawOutputSize)
	size := stride*int64(f.passes-1) + int64(w.asks*drawOutputSize)
	var err error
	if f.pending, err = c.device.Submit(c.record.Commands, c.b.drawn, int64(f.first)*stride, size); err != nil {
		return err
	}
	w.flying = append(w.flying, f)
	return nil
}

// read waits for the oldest chunk and tells what its passes revealed.
func (w *walk) read(ctx context.Context, tell func(step int, revealed []draw.Candidate) error) error {
	f := w.flying[0]
	w.flying = w.flying[1:]
	data, err := f.pending.Wait(ctx)
	if err != nil {
		return w.end(err)
	}
	if f.first == 0 {
		w.core.length = w.base + w.fused
	}
	for pass := range f.passes {
		if w.left == 0 {
			break
		}
		rows := w.masked
		if w.order != nil {
			rows = w.order[f.first+pass : f.first+pass+1]
		}
		revealed := w.revealed(rows, data[pass*w.core.c.Block*drawOutputSize:])
		if len(revealed) == 0 {
			return w.end(fmt.Errorf("%w: pass %d revealed nothing", device.ErrLost, f.first+pass))
		}
		w.left -= len(revealed)
		if err := tell(f.first+pass, revealed); err != nil {
			return w.end(err)
		}
	}
	return nil
}

// revealed returns the candidates of a pass that the policy chose, and keeps the other rows for the
// next.
func (w *walk) revealed(rows []int, data []byte) (out []draw.Candidate) {
	var rest []int
	for i, row := range rows {
		if parseDrawn(data[i*drawOutputSize:]).Revealed == 1 {
			out = append(out, candidate(row, data[i*drawOutputSize:]))
		} else {
			rest = append(rest, row)
		}
	}
	w.masked = rest
	return out
}

// end waits for what is still under way, so that its buffers are free, and returns err.
func (w *walk) end(err error) error {
	for _, f := range w.flying {
		_, _ = f.pending.Wait(context.Background()) // err says more
	}
	w.flying = nil
	return err
}

func (w *walk) drain() error {
	for len(w.flying) > 0 {
		f := w.flying[0]
		w.flying = w.flying[1:]
		if _, err := f.pending.Wait(context.Background()); err != nil {
			return w.end(err)
		}
	}
	return nil
}
