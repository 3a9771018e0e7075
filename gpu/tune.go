package gpu

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/gpu/shaders"
	"github.com/unmask-lm/unmask/runtime/draw"
)

// Tuning remembers what was chosen on a device.
type Tuning interface {
	// Load returns what was saved under a key, or nil.
	Load(key string) []byte
	// Save keeps data under a key. Losing it only costs another measurement.
	Save(key string, data []byte)
}

// tuningTime bounds how long the choice of tiles may take, compilation included.
const tuningTime = 1500 * time.Millisecond

func sameTile(t shaders.Tile) map[string]shaders.Tile {
	out := map[string]shaders.Tile{}
	for _, name := range tiled {
		out[name] = t
	}
	return out
}

// tuningKey names everything that the choice depends on.
func (c *core) tuningKey() string {
	return fmt.Sprintf("%s/%s/%s/%s/%d-%d-%d-%d", c.device.Info.Name, c.device.Info.Driver, shaders.Hash(), c.variant,
		c.c.Hidden, c.c.Inner, c.c.Vocab, c.c.Block)
}

// remembered returns the tiles to start with, and whether they are what is wanted: given, remembered,
// or there is nowhere to remember a measurement.
func (c *core) remembered(o Options) (map[string]shaders.Tile, bool) {
	if o.Tile != nil {
		return sameTile(*o.Tile), true
	}
	tiles := sameTile(shaders.Tiles[0])
	if o.Tuning == nil {
		return tiles, true
	}
	lines := strings.Split(string(o.Tuning.Load(c.tuningKey())), "\n")
	for _, line := range lines {
		name, tile, _ := strings.Cut(line, " ")
		t, err := shaders.ParseTile(tile)
		if _, ok := tiles[name]; !ok || err != nil || t.Subgroups && !c.device.Features[shaders.FeatureSubgroups] {
			return sameTile(shaders.Tiles[0]), false
		}
		tiles[name] = t
	}
	return tiles, len(lines) == len(tiled)
}

// trial is the measurement of one use of a kernel.
type trial struct {
	name     string
	command  record.Command
	output   record.BufferID
	expected []byte
	best     time.Duration
	tile     shaders.Tile
}

// tune measures the tiles on the device, for a short time, and takes the fastest for each use. A tile
// whose results differ from those of the plainest one, because of a fault in a driver, is not taken.
func (c *core) tune(ctx context.Context, memory Tuning) error {
	end := time.Now().Add(tuningTime)
	trials, err := c.trials()
	if err != nil {
		return err
	}
	for i, tile := range shaders.Tiles {
		if i > 0 && time.Now().After(end) {
			break
		}
		if tile.Subgroups && !c.device.Features[shaders.FeatureSubgroups] {
			continue
		}
		if err := c.try(ctx, tile, trials, i == 0); err != nil {
			if i == 0 || c.device.Err() != nil {
				return err
			}
		}
	}
	chosen := map[string]shaders.Tile{}
	var lines []string
	for _, t := range trials {
		chosen[t.name] = t.tile
		lines = append(lines, t.name+" "+t.tile.String())
	}
	c.setTiles(chosen)
	memory.Save(c.tuningKey(), []byte(strings.Join(lines, "\n")))
	return nil
}

// trials are the uses to measure, over the first rows of a canvas.
func (c *core) trials() ([]*trial, error) {
	u := c.uniform(c.c.Block, c.c.Block, &draw.Options{})
	if err := c.writeSlot(&u); err != nil {
		return nil, err
	}
	asked := make([]int, min(c.c.Block, c.headRows))
	for i := range asked {
		asked[i] = i
	}
	if err := c.write(nil, asked); err != nil {
		return nil, err
	}
	b := &c.b
	return []*trial{
		{name: useQKV, output: b.q}, {name: useOut, output: b.x}, {name: useUp, output: b.inner}, {name: useDown, output: b.x}, {name: useHead, output: b.logits},
	}, nil
}

// commands finds the dispatches of the uses in a pass: the first layer's, and the head's.
func (c *core) commands(trials []*trial) {
	var r record.Recording
	c.body(&r, 0, c.c.Block, 0)
	c.head(&r, 0, min(c.c.Block, c.headRows))
	for _, t := range trials {
		want := uses(&c.c)[t.name].weight
		for _, command := range r.Commands {
			if command.Label == want {
				t.command = shortened(command)
				break
			}
		}
	}
}

// tuningFLOPs is how much of a dispatch is measured: software adapters need a while for it.
const tuningFLOPs = 30e6

// shortened is the first part of a dispatch.
func shortened(c record.Command) record.Command {
	if share := tuningFLOPs / float64(max(1, c.FLOPs)); share < 1 {
		c.Groups[0] = max(1, uint32(float64(c.Groups[0])*share))
	}
	return c
}

// try measures one tile for every use.
func (c *core) try(ctx context.Context, tile shaders.Tile, trials []*trial, first bool) error {
	c.setTiles(sameTile(tile))
	if err := c.device.Compile(ctx, c.kernels()); err != nil {
		return err
	}
	c.commands(trials)
	for _, t := range trials {
		if err := c.inputs(); err != nil {
			return err
		}
		run := func(n int) (time.Duration, []byte, error) {
			r := record.Recording{}
			for range n {
				r.Add(t.command)
			}
			at := time.Now()
			data, err := c.device.Run(ctx, &r, t.output, checkedBytes)
			return time.Since(at), data, err
		}
		_, data, err := run(1)
		if err != nil {
			return err
		}
		once, _, err := run(1)
		if err != nil {
			return err
		}
		took := float64(once.Nanoseconds())
		if n := int(2e6 / took); n > 1 { // too short to tell: many at once
			many, _, err := run(min(n, 50) + 1)
			if err != nil {
				return err
			}
			took = max(1, float64((many-once).Nanoseconds())/float64(min(n, 50)))
		}
		per := time.Duration(took / float64(t.command.Groups[0]) / float64(tile.Outputs()) * 1e3) // a thousand outputs
		if first {
			t.expected = data
		}
		if first || per < t.best && alike(t.expected, data) {
			t.best, t.tile = per, tile
		}
	}
	return nil
}

// checkedBytes is how much of a result is compared: values of the first row.
const checkedBytes = 64

// alike tells whether two results agree but for rounding.
func alike(a, b []byte) bool {
	for i := 0; i < len(a); i += bytesPerWord {
		x, y := parseFloat(a[i:]), parseFloat(b[i:])
		if !(math.Abs(x-y) <= 1e-3*max(1, math.Abs(x))) {
			return false
		}
	}
	return true
}

// inputs fills what the kernels read with a pattern; padding stays zero.
func (c *core) inputs() error {
	for id, width := range map[record.BufferID]int{c.b.x: c.c.Hidden, c.b.o: c.c.Hidden, c.b.inner: c.c.Inner} {
		rows := (c.c.Block + tallTile - 1) / tallTile * tallTile
		values := make([]float32, rows*pad(width))
		for i := range values {
			if i%pad(width) < width {
				values[i] = float32(i*7919%211)/211 - 0.5
			}
		}
		if err := c.device.Write(id, 0, floatBytes(values)); err != nil {
			return err
		}
	}
	return nil
}
