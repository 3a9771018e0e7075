package gpu

import (
	"encoding/binary"
	"math"

	"github.com/unmask-lm/unmask/model"
)

// passUniform is what changes from pass to pass; twin of Pass in shaders/lib/pass.wgsl.
type passUniform struct {
	Base, Rows, Skip, Lead         uint32
	Block, Vocab, Mask             uint32
	LogitStride, TopK              uint32
	InvTemperature, TopP           float32
	Greedy, Rule                   uint32
	Parameter                      float32
	Slot, Row, NextRow, CanvasRows uint32
	SlotRows, Unused               uint32
}

// dims is what one use of a kernel works on; twin of Dims in shaders/lib/dims.wgsl.
type dims struct {
	Width, Stride, Outputs, OutStride uint32
	Head, Heads, Window               uint32
	Epsilon, Scale                    float32
	First, Second, Unused             uint32
}

// drawInput is what decides one row; twin of Draw in shaders/draw.wgsl.
type drawInput struct {
	Uniform float32
	Forced  uint32
}

// drawOutput is what comes back for it; twin of Drawn in shaders/lib/drawn.wgsl.
type drawOutput struct {
	Token            uint32
	LogProb, Entropy float32
	Revealed         uint32
}

// Sizes in bytes. A drawOutput is all that is read back for an asked row.
const (
	drawInputSize  = 8
	drawOutputSize = 16
	stateHeader    = 16 // of State in shaders/lib/state.wgsl, before its rows
)

// notForced leaves the choice of the token to the draw.
const notForced = math.MaxUint32

func words(out []byte, values ...uint32) []byte {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
}

func (u *passUniform) append(out []byte) []byte {
	return words(out, u.Base, u.Rows, u.Skip, u.Lead, u.Block, u.Vocab, u.Mask, u.LogitStride, u.TopK,
		math.Float32bits(u.InvTemperature), math.Float32bits(u.TopP), u.Greedy, u.Rule, math.Float32bits(u.Parameter),
		u.Slot, u.Row, u.NextRow, u.CanvasRows, u.SlotRows, u.Unused)
}

func (d *dims) append(out []byte) []byte {
	return words(out, d.Width, d.Stride, d.Outputs, d.OutStride, d.Head, d.Heads, d.Window,
		math.Float32bits(d.Epsilon), math.Float32bits(d.Scale), d.First, d.Second, d.Unused)
}

func (d drawInput) append(out []byte) []byte {
	return words(out, math.Float32bits(d.Uniform), d.Forced)
}

func parseDrawn(b []byte) drawOutput {
	at := func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
	return drawOutput{at(0), math.Float32frombits(at(1)), math.Float32frombits(at(2)), at(3)}
}

func parseFloat(b []byte) float64 {
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
}

func floatBytes(values []float32) []byte {
	out := make([]byte, 0, 4*len(values))
	for _, v := range values {
		out = words(out, math.Float32bits(v))
	}
	return out
}

// pad rounds a row's width up to whole vec4s.
func pad(width int) int { return (width + 3) &^ 3 }

// turns is the rotary table (n, head/2) of cosine and sine, angles computed in float64 as in the oracle.
func turns(c *model.Config) []float32 {
	half := c.HeadDim() / 2
	out := make([]float32, 0, 2*c.Window*half)
	for pos := range c.Window {
		for j := range half {
			angle := float64(pos) * math.Pow(c.RopeBase, -2*float64(j)/float64(c.HeadDim()))
			sin, cos := math.Sincos(angle)
			out = append(out, float32(cos), float32(sin))
		}
	}
	return out
}
