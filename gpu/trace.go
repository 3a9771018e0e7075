package gpu

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/unmask-lm/unmask/gpu/device"
	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/gpu/shaders"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// Peak is what an adapter reaches with the plain kernels of shaders/peak.
type Peak struct {
	FLOPs float64 `json:"flops"` // a second, of a matmul
	Bytes float64 `json:"bytes"` // a second, read
}

// repeat runs a command several times in a submission and tells how long one takes: the difference
// between few and many leaves out what a submission costs.
func repeat(ctx context.Context, d *device.Device, c record.Command, from record.BufferID) (time.Duration, error) {
	run := func(n int) (time.Duration, error) {
		var r record.Recording
		for range n {
			r.Add(c)
		}
		at := time.Now()
		_, err := d.Run(ctx, &r, from, bytesPerWord)
		return time.Since(at), err
	}
	best := time.Duration(1 << 62)
	if _, err := run(1); err != nil {
		return 0, err
	}
	for range 3 {
		few, err := run(1)
		if err != nil {
			return 0, err
		}
		if few > 20*time.Millisecond { // a submission's own cost does not show
			best = min(best, few)
			continue
		}
		const more = 8
		many, err := run(1 + more)
		if err != nil {
			return 0, err
		}
		best = min(best, max(time.Nanosecond, (many-few)/more))
	}
	return best, nil
}

// MeasurePeak measures the device.
func MeasurePeak(ctx context.Context, d *device.Device) (Peak, error) {
	const in, outs, bandwidthBytes = 768, 3072, 64 << 20
	var p Peak
	matmul, read := shaders.Peak("matmul"), shaders.Peak("read")
	if err := d.Compile(ctx, []shaders.Kernel{matmul, read}); err != nil {
		return p, err
	}
	var err error
	buffer := func(size int64) (id record.BufferID) {
		if err == nil {
			id, err = d.NewBuffer("peak", size, device.Storage)
		}
		return id
	}
	x, w, out, big := buffer(64*in*4), buffer(outs*in*4), buffer(64*outs*4), buffer(bandwidthBytes)
	if err != nil {
		return p, err
	}
	for _, rows := range []int{4, 16, 64} {
		took, err := repeat(ctx, d, record.Command{
			Kernel: matmul.Name, Label: "peak", Groups: [3]uint32{outs / 8 / 64, uint32(rows / 4), 1},
			Bindings: []record.BufferID{x, w, out}, FLOPs: int64(2 * rows * in * outs),
		}, out)
		if err != nil {
			return p, err
		}
		p.FLOPs = max(p.FLOPs, 2*float64(rows)*in*outs/took.Seconds())
	}
	took, err := repeat(ctx, d, record.Command{
		Kernel: read.Name, Label: "peak", Groups: [3]uint32{bandwidthBytes / 16 / 64 / 64, 1, 1}, Bindings: []record.BufferID{big, out}, Read: bandwidthBytes,
	}, out)
	p.Bytes = bandwidthBytes / took.Seconds()
	return p, err
}

// Peak measures the adapter that the engine runs on.
func (e *Engine) Peak(ctx context.Context) (Peak, error) { return MeasurePeak(ctx, e.core.device) }

// Pass records one pass of a full canvas, all of whose rows are drawn, behind the committed tokens.
func (c *core) pass() (record.Recording, error) {
	var r record.Recording
	rows := c.c.Block
	asked := make([]int, min(rows, c.headRows))
	canvas := make([]int, rows)
	for i := range canvas {
		canvas[i] = c.c.Mask
	}
	for i := range asked {
		asked[i] = i
	}
	o := draw.Options{Temperature: 1, TopP: 1}
	u := c.uniform(rows, rows, &o)
	if err := c.writeSlot(&u); err != nil {
		return r, err
	}
	if err := c.write(canvas, asked); err != nil {
		return r, err
	}
	c.body(&r, 0, rows, c.length)
	c.head(&r, 0, len(asked))
	c.draw(&r, 0, len(asked))
	if c.canStep() {
		c.reveal(&r, 0, len(asked))
	}
	return r, nil
}

// Cost counts what one pass costs: dispatches, bytes that it must read and write at least, arithmetic,
// and bytes that come back to the host.
type Cost struct {
	Dispatches int   `json:"dispatches"`
	Read       int64 `json:"read"`
	Written    int64 `json:"written"`
	FLOPs      int64 `json:"flops"`
	Back       int64 `json:"back"`
}

// Cost is that of one pass behind the committed tokens.
func (e *Engine) Cost() (Cost, error) {
	r, err := e.core.pass()
	if err != nil {
		return Cost{}, err
	}
	c := Cost{Back: int64(min(e.Config().Block, e.core.headRows) * drawOutputSize)}
	c.Dispatches, c.Read, c.Written, c.FLOPs = r.Totals()
	return c, nil
}

// Trace prints a table of the dispatches of one pass, each timed by itself: work, time, and the
// fraction of the adapter's peak.
func (e *Engine) Trace(ctx context.Context, out io.Writer) error {
	c := e.core
	peak, err := MeasurePeak(ctx, c.device)
	if err != nil {
		return err
	}
	r, err := c.pass()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: plain matmul %.2f GFLOP/s, memory %.2f GB/s; %d rows behind %d tokens\n\n", c.device.Info.Name, peak.FLOPs/1e9, peak.Bytes/1e9, c.c.Block, c.length)
	fmt.Fprintf(out, "%-22s %-20s %12s %10s %10s %9s %9s %8s %8s %6s\n", "dispatch", "kernel", "groups", "read kB", "write kB", "MFLOP", "ms", "GFLOP/s", "GB/s", "peak")
	var total time.Duration
	line := func(label, kernel, groups string, read, written, flops int64, took time.Duration) {
		s := took.Seconds()
		fraction := max(float64(flops)/s/peak.FLOPs, float64(read+written)/s/peak.Bytes)
		fmt.Fprintf(out, "%-22s %-20s %12s %10.1f %10.1f %9.2f %9.3f %8.2f %8.2f %5.0f%%\n", label, kernel, groups,
			float64(read)/1e3, float64(written)/1e3, float64(flops)/1e6, 1e3*s, float64(flops)/s/1e9, float64(read+written)/s/1e9, 100*fraction)
	}
	for _, command := range r.Commands {
		if command.Kernel == "reveal" { // it would end the pass for those after it
			continue
		}
		took, err := repeat(ctx, c.device, command, c.b.drawn)
		if err != nil {
			return err
		}
		total += took
		g := command.Groups
		line(command.Label, command.Kernel, fmt.Sprintf("%d×%d×%d", g[0], g[1], g[2]), command.Read, command.Written, command.FLOPs, took)
	}
	dispatches, read, written, flops := r.Totals()
	line(fmt.Sprintf("%d dispatches", dispatches), "", "", read, written, flops, total)
	return nil
}
