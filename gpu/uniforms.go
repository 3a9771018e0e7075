package gpu

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/unmask-lm/unmask/model"
)

// passUniform is what changes from pass to pass; twin of Pass in shaders/lib/pass.wgsl.
type passUniform struct {
	Base, Rows, Asks, Block        uint32
	Vocab, Mask, LogitStride, TopK uint32
	InvTemperature, TopP           float32
	Greedy, Unused                 uint32
}

// dims is what one use of a kernel works on; twin of Dims in shaders/lib/dims.wgsl.
type dims struct {
	Width, Stride, Outputs, OutStride uint32
	Epilogue, Head                    uint32
	Epsilon, Scale                    float32
	First                             uint32
}

// Epilogues of matmul.
const (
	epilogueStore = iota
	epilogueGELU
	epilogueAdd
)

// drawInput is what decides one asked row; twin of Draw in shaders/draw.wgsl.
type drawInput struct {
	Uniform float32
	Forced  uint32
}

// drawOutput is what comes back for it; twin of Drawn in shaders/draw.wgsl.
type drawOutput struct {
	Token            uint32
	LogProb, Entropy float32
	Unused           uint32
}

// drawnSize is the size of a drawOutput: all that is read back for an asked row.
const drawnSize = 16

// notForced leaves the choice of the token to the draw.
const notForced = math.MaxUint32

// encode lays out numbers and structs of 4-byte fields as WGSL reads them.
func encode(v any) []byte {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
		panic(err) // only fixed-size values come here
	}
	return b.Bytes()
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
