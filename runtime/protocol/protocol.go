// Package protocol is the one definition of what the command line (--json), the browser's worker and
// its page say to each other. web/package/src/protocol.ts mirrors it; a test holds the two together.
package protocol

// Request types.
const (
	TypeLoad     = "load"     // Load
	TypeGenerate = "generate" // Generate
	TypeLogits   = "logits"   // Logits
	TypeScore    = "score"    // Score
	TypeTokenize = "tokenize" // Tokenize
	TypeStop     = "stop"     // end the running request; no fields

	TypeAlternatives = "alternatives" // Alternatives
)

// Event types.
const (
	TypeProgress = "progress" // Progress
	TypeReady    = "ready"    // Ready
	TypeCanvas   = "canvas"   // Canvas
	TypeReveal   = "reveal"   // Reveal
	TypeBlock    = "block"    // Block
	TypeDone     = "done"     // Done
	TypeAnswer   = "answer"   // Answer
	TypeError    = "error"    // Error

	TypeRecovered = "recovered" // Recovered
)

// Load opens the pack at a URL, relative to the page.
type Load struct {
	Type   string `json:"type"`
	URL    string `json:"url"`
	Engine string `json:"engine"` // auto, gpu or cpu
}

// Generate asks for text. Fields left out take the pack's defaults.
type Generate struct {
	Type        string   `json:"type"`
	Prompt      string   `json:"prompt"`
	MaxTokens   *int     `json:"max_tokens,omitempty"`
	Policy      string   `json:"policy,omitempty"`
	Seed        uint64   `json:"seed"`
	Temperature *float64 `json:"temperature,omitempty"`
	TopP        *float64 `json:"top_p,omitempty"`
	TopK        *int     `json:"top_k,omitempty"`
	EntropyStop *float64 `json:"entropy_stop,omitempty"`
	// Canvas holds the tokens that stand behind the prompt already, -1 for each to fill in. MaxTokens is
	// its length where not given; beyond it the text goes on.
	Canvas []int `json:"canvas,omitempty"`
}

// Alternatives asks what else could stand at position At of Tokens, which follow the prompt and hold -1 for
// masks.
type Alternatives struct {
	Type   string `json:"type"`
	Prompt string `json:"prompt"`
	Tokens []int  `json:"tokens"`
	At     int    `json:"at"`
	Count  int    `json:"count"`
}

// Tokenize asks for the tokens of a text.
type Tokenize struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// Logits asks for the head's output over canvas, behind whole blocks of context.
type Logits struct {
	Type    string `json:"type,omitempty"`
	Context []int  `json:"context"`
	Canvas  []int  `json:"canvas"`
}

// Score asks for the bound on a text's likelihood; tokens or text, not both.
type Score struct {
	Type   string  `json:"type,omitempty"`
	Tokens []int   `json:"tokens,omitempty"`
	Text   *string `json:"text,omitempty"`
}

// Progress tells how far loading is, in bytes.
type Progress struct {
	Type  string `json:"type"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// Ready says that a pack is loaded, what runs it and why.
type Ready struct {
	Type      string `json:"type"`
	Engine    string `json:"engine"`  // gpu or cpu
	Adapter   string `json:"adapter"` // name of the GPU, or of what stands in
	Reason    string `json:"reason"`  // why this engine
	BlockSize int    `json:"block_size"`
	Params    int    `json:"params"`
	Bytes     int64  `json:"bytes"`  // of weights
	Window    int    `json:"window"` // tokens that the model sees
	License   string `json:"license"`
}

// Canvas opens a block: Tokens holds what stands there already, and -1 for each mask. The first Given of
// them are the prompt's.
type Canvas struct {
	Type   string   `json:"type"`
	Block  int      `json:"block"`
	Given  int      `json:"given"`
	Tokens []int    `json:"tokens"`
	Texts  []string `json:"texts"`
}

// Reveal is one mask turned into a token.
type Reveal struct {
	Type    string  `json:"type"`
	Block   int     `json:"block"`
	Step    int     `json:"step"`
	Row     int     `json:"row"`
	Token   int     `json:"token"`
	Text    string  `json:"text"`
	Prob    float64 `json:"prob"`
	Entropy float64 `json:"entropy"` // nats
}

// Block closes a block: Tokens are its new ones and Text what they complete.
type Block struct {
	Type   string `json:"type"`
	Block  int    `json:"block"`
	Tokens []int  `json:"tokens"`
	Text   string `json:"text"`
}

// Done ends a generation.
type Done struct {
	Type    string  `json:"type"`
	Tokens  []int   `json:"tokens"` // generated ones
	Text    string  `json:"text"`
	Passes  int     `json:"passes"`
	Seconds float64 `json:"seconds"`
	Reason  string  `json:"reason"` // length, eos, entropy or stopped
}

// ScoreResult answers Score.
type ScoreResult struct {
	NELBO    float64   `json:"nelbo"` // nats, of all tokens
	Tokens   int       `json:"tokens"`
	PPL      float64   `json:"ppl"` // exp(nelbo/tokens)
	PerToken []float64 `json:"per_token"`
	Exact    bool      `json:"exact"`
	StdErr   float64   `json:"std_err,omitempty"` // of nelbo, where it is not exact
}

// LogitsResult answers Logits: one row of V numbers a token of the canvas.
type LogitsResult struct {
	Logits [][]float32 `json:"logits"`
}

// Alternative is a token that could stand at a position.
type Alternative struct {
	Token int     `json:"token"`
	Text  string  `json:"text"`
	Prob  float64 `json:"prob"`
}

// Answer carries the result of a question to the page. Tokens and Texts are those of Tokenize, and of the
// text that was scored.
type Answer struct {
	Type         string        `json:"type"`
	Logits       *LogitsResult `json:"logits,omitempty"`
	Score        *ScoreResult  `json:"score,omitempty"`
	Tokens       []int         `json:"tokens,omitempty"`
	Texts        []string      `json:"texts,omitempty"`
	Alternatives []Alternative `json:"alternatives,omitempty"`
	Memory       int64         `json:"memory,omitempty"` // bytes that the runtime holds
}

// Error codes.
const (
	CodeUnsupported = "unsupported" // no engine runs here
	CodeIntegrity   = "integrity"   // the pack is damaged or not one
	CodeRequest     = "request"     // the request makes no sense
	CodeDeviceLost  = "device_lost" // the GPU went away, again and again
	CodeOutOfMemory = "out_of_memory"
	CodeQuota       = "quota"   // the browser gives too little space
	CodeNetwork     = "network" // the server does not answer, again and again
	CodeFailed      = "failed"  // anything else
)

// Recovered tells that the GPU device went away and that work goes on on another, with the same result.
type Recovered struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// Error ends a request that failed.
type Error struct {
	Type    string `json:"type"`
	Code    string `json:"code"`
	Message string `json:"message"`
}
