package gpu

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// What the tests of single kernels need.
type (
	PassUniform = passUniform
	Dims        = dims
	DrawInput   = drawInput
	DrawOutput  = drawOutput
)

// NotForced leaves the choice of the token to the draw.
const NotForced = notForced

// RuleOf and ParameterOf are what reveal.wgsl gets of a rule.
var (
	RuleOf      = func(r policy.Rule) uint32 { return rules[r.Kind] }
	ParameterOf = parameterOf
)

// Helpers.
var (
	Pad     = pad
	Turns   = turns
	PadRows = padRows
)

// Encode lays out numbers and structs of 4-byte fields as WGSL reads them.
func Encode(v any) []byte {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// NewWithin is New with a limit on the size of one binding.
func NewWithin(ctx context.Context, p *model.Pack, binding int64) (*Engine, error) {
	return New(ctx, p, Options{largestBinding: binding})
}

// Made counts what was made on the device of an engine.
func (e *Engine) Made() int { return e.core.device.Made() }

// Destroy breaks the device of an engine.
func (e *Engine) Destroy() { e.core.device.Destroy() }
