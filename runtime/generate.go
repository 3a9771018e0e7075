package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// Request is what to generate.
type Request struct {
	// Prompt is the text so far. What is left after whole blocks opens the first canvas.
	Prompt []int
	// Canvas is what stands behind the prompt already, with Fill for each token to be written: text to
	// fill in. Beyond it the text is continued.
	Canvas    []int
	MaxTokens int
	Policy    policy.Policy
	Draw      draw.Options // Seed, Temperature, TopP and TopK; the rest is set here
	Stop      []int        // tokens that end the text; the one found is kept
	// EntropyStop ends the text when the last 256 tokens have less entropy, in nats, as a text does
	// that repeats itself; they are then cut off (the paper's rule, at 4). 0 switches it off.
	EntropyStop float64
}

// Fill stands in Request.Canvas for a token to be written.
const Fill = -1

// Reasons why a text ended.
const (
	ReasonLength  = "length"
	ReasonEOS     = "eos"
	ReasonEntropy = "entropy"
	ReasonStopped = "stopped"
)

// Result is a finished text.
type Result struct {
	Tokens []int // generated ones
	Passes int   // forward passes
	Reason string
}

// Observer is told what happens, as it happens. An error ends the generation.
type Observer interface {
	// Canvas opens block number block; tokens is only valid during the call.
	Canvas(block int, tokens []int) error
	// Reveal is one mask turned into a token in pass step of the block.
	Reveal(block, step int, c draw.Candidate) error
	// Block closes a block; tokens are those of it that count as generated.
	Block(block int, tokens []int) error
}

// generation is the state of one Generate call.
type generation struct {
	Request
	engine    Engine
	observer  Observer
	committed []int // tokens in the engine's cache, from the window's start
	pending   []int // finished blocks that the next pass commits
	canvas    []int // the open block
	result    Result
}

// Generate continues a prompt block by block: each block starts as masks, and every pass reveals what
// the policy chooses until none is left (paper, algorithm 2). It forgets what the engine had
// committed. When ctx ends, the result so far comes back with reason "stopped" and no error.
func Generate(ctx context.Context, engine Engine, r Request, observer Observer) (Result, error) {
	if err := r.check(engine); err != nil {
		return Result{}, err
	}
	if err := engine.Truncate(0); err != nil {
		return Result{}, err
	}
	size := engine.Config().Block
	whole := len(r.Prompt) / size * size
	g := &generation{Request: r, engine: engine, observer: observer}
	g.pending = slices.Clone(r.Prompt[:whole])
	old := len(r.Prompt) - whole // rows of the first block that are the prompt's
	given := slices.Concat(r.Prompt[whole:], r.Canvas)
	for block := 0; g.result.Reason == ""; block++ {
		here := given[:min(size, len(given))]
		err := g.block(ctx, block, here, old)
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			g.result.Reason = ReasonStopped
			return g.result, nil
		}
		if err != nil {
			return g.result, err
		}
		given, old = given[len(here):], 0
	}
	return g.result, nil
}

func (r *Request) check(engine Engine) error {
	c := engine.Config()
	if r.MaxTokens < 1 {
		return fmt.Errorf("max tokens is %d, expected 1 or more", r.MaxTokens)
	}
	for i, id := range r.Prompt {
		if id < 0 || id >= c.Vocab || id == c.Mask {
			return fmt.Errorf("prompt: token %d is %d, expected 0 to %d and not the mask %d", i, id, c.Vocab-1, c.Mask)
		}
	}
	for i, id := range r.Canvas {
		if id != Fill && (id < 0 || id >= c.Vocab || id == c.Mask) {
			return fmt.Errorf("canvas: token %d is %d, expected 0 to %d and not the mask %d, or %d to fill it in", i, id, c.Vocab-1, c.Mask, Fill)
		}
	}
	return r.Draw.Validate()
}

// block denoises one block that opens with the given tokens, Fill among them, of which the first old are
// the prompt's, and moves it to pending.
func (g *generation) block(ctx context.Context, block int, given []int, old int) error {
	if err := g.makeRoom(ctx); err != nil {
		return err
	}
	c := g.engine.Config()
	g.canvas = append(g.canvas[:0], given...)
	for len(g.canvas) < c.Block {
		g.canvas = append(g.canvas, Fill)
	}
	for i, id := range g.canvas {
		if id == Fill {
			g.canvas[i] = c.Mask
		}
	}
	if err := g.observer.Canvas(block, g.canvas); err != nil {
		return err
	}
	if err := g.denoise(ctx, block); err != nil {
		return err
	}
	g.pending = append(g.pending, g.canvas...)
	return g.finish(block, g.canvas[old:])
}

// denoise runs passes until no mask is left: all in one go where engine and policy allow that.
func (g *generation) denoise(ctx context.Context, block int) error {
	stepper, ok := g.engine.(Stepper)
	ruled, isRuled := g.Policy.(policy.Ruled)
	if ok && isRuled && stepper.CanStep() {
		return g.steps(ctx, block, stepper, ruled)
	}
	for step := 0; ; step++ {
		masked := g.masked()
		if len(masked) == 0 {
			return nil
		}
		if err := g.pass(ctx, block, step, masked); err != nil {
			return err
		}
	}
}

func (g *generation) steps(ctx context.Context, block int, engine Stepper, p policy.Ruled) error {
	masked := g.masked()
	if len(masked) == 0 {
		return nil
	}
	o, rule := g.Draw, p.Rule()
	o.Block, o.Step = block, 0
	var order []int
	if rule.Kind == policy.KindListed {
		order = g.order(block, masked)
	}
	return engine.Steps(ctx, g.pending, slices.Clone(g.canvas), rule, order, o, func(step int, revealed []draw.Candidate) error {
		if step == 0 {
			g.committed = append(g.committed, g.pending...)
			g.pending = g.pending[:0]
		}
		g.result.Passes++
		return g.reveal(block, step, rule.Sort(revealed))
	})
}

// order is the row that each pass reveals, where the policy asks for one whatever the candidates.
func (g *generation) order(block int, masked []int) []int {
	masked = slices.Clone(masked)
	var out []int
	for step := 0; len(masked) > 0; step++ {
		row := g.Policy.Ask(masked, draw.Order(g.Draw.Seed, block, step))[0]
		out = append(out, row)
		masked = slices.DeleteFunc(masked, func(r int) bool { return r == row })
	}
	return out
}

func (g *generation) reveal(block, step int, candidates []draw.Candidate) error {
	for _, c := range candidates {
		g.canvas[c.Row] = c.Token
		if err := g.observer.Reveal(block, step, c); err != nil {
			return err
		}
	}
	return nil
}

func (g *generation) masked() []int {
	var rows []int
	for row, id := range g.canvas {
		if id == g.engine.Config().Mask {
			rows = append(rows, row)
		}
	}
	return rows
}

// pass is one forward pass, which also commits what is pending, and its reveals.
func (g *generation) pass(ctx context.Context, block, step int, masked []int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := g.Draw
	o.Block, o.Step = block, step
	rows := g.Policy.Ask(masked, draw.Order(o.Seed, block, step))
	var candidates []draw.Candidate
	var err error
	if len(g.pending) > 0 {
		candidates, err = g.engine.CommitDenoise(ctx, g.pending, g.canvas, rows, o)
	} else {
		candidates, err = g.engine.Denoise(ctx, g.canvas, rows, o)
	}
	if err != nil {
		return err
	}
	g.committed = append(g.committed, g.pending...)
	g.pending = g.pending[:0]
	g.result.Passes++
	return g.reveal(block, step, g.Policy.Reveal(candidates))
}

// makeRoom keeps the next block inside the window: when it would not fit, the newest half of the
// window stays and is computed again at the positions from 0 on, so that the cache always equals a
// fresh run over what it holds.
func (g *generation) makeRoom(ctx context.Context) error {
	c := g.engine.Config()
	if len(g.committed)+len(g.pending)+c.Block <= c.Window {
		return nil
	}
	all := append(g.committed, g.pending...)
	keep := min(c.Window/2, c.Window-c.Block) / c.Block * c.Block
	g.pending = slices.Clone(all[len(all)-keep:])
	g.committed = nil
	if err := g.engine.Truncate(0); err != nil {
		return err
	}
	return ctx.Err()
}

// finish counts the new tokens of a block and decides whether the text ends.
func (g *generation) finish(block int, tokens []int) error {
	tokens = tokens[:min(len(tokens), g.MaxTokens-len(g.result.Tokens))]
	if i := slices.IndexFunc(tokens, func(id int) bool { return slices.Contains(g.Stop, id) }); i >= 0 {
		tokens = tokens[:i+1]
		g.result.Reason = ReasonEOS
	}
	g.result.Tokens = append(g.result.Tokens, tokens...)
	if g.result.Reason == "" && len(g.result.Tokens) >= g.MaxTokens {
		g.result.Reason = ReasonLength
	}
	if err := g.observer.Block(block, tokens); err != nil {
		return err
	}
	if n := len(g.result.Tokens); g.EntropyStop > 0 && n > entropySpan && HistogramEntropy(g.result.Tokens[n-entropySpan:]) < g.EntropyStop {
		g.result.Tokens = g.result.Tokens[:n-entropySpan]
		g.result.Reason = ReasonEntropy
	}
	return nil
}
