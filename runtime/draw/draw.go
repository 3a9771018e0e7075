package draw

import "fmt"

// Options say how a token is drawn from a row's distribution, and at which coordinate.
type Options struct {
	Seed        uint64
	Block, Step int
	Temperature float32 // 0 takes the most probable token
	// TopP is the paper's nucleus: tokens whose cumulative probability, from the most probable on,
	// does not exceed TopP, and always the top one; the token that crosses TopP is left out, which the
	// usual nucleus keeps. 1 switches it off. Tokens of equal probability stay or go together.
	TopP float32
	TopK int // keep the TopK most probable, and what ties with the last of them; 0 keeps all
	// Force, where not nil, gives the token of each asked row instead of drawing it: its probability
	// is what is wanted, as in scoring.
	Force []int
}

// Uniform is the number that decides row.
func (o *Options) Uniform(row int) float32 { return Uniform(o.Seed, o.Block, o.Step, row) }

// Validate names the option that makes no sense.
func (o *Options) Validate() error {
	switch {
	case !(o.Temperature >= 0 && o.Temperature <= 100):
		return fmt.Errorf("temperature is %v, expected 0 to 100", o.Temperature)
	case !(o.TopP > 0 && o.TopP <= 1):
		return fmt.Errorf("top-p is %v, expected more than 0 and at most 1", o.TopP)
	case o.TopK < 0:
		return fmt.Errorf("top-k is %d, expected 0 or more", o.TopK)
	}
	return nil
}

// Candidate is what an engine returns for one asked row.
type Candidate struct {
	Row     int     // of the canvas
	Token   int     // drawn or forced; never the mask
	LogProb float64 // ln p(Token) under the model, at temperature 1 and without top-p or top-k
	Entropy float64 // of the same distribution, in nats
}
