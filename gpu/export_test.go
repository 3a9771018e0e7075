package gpu

// What the tests of single kernels need.
type (
	PassUniform = passUniform
	Dims        = dims
	DrawInput   = drawInput
	DrawOutput  = drawOutput
)

// Epilogues of matmul.
const (
	EpilogueStore = epilogueStore
	EpilogueGELU  = epilogueGELU
	EpilogueAdd   = epilogueAdd
	NotForced     = notForced
)

// Helpers.
var (
	Encode  = encode
	Pad     = pad
	Turns   = turns
	PadRows = padRows

	NewWithin = newEngine
)
