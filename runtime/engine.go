// Package runtime samples from a block-diffusion model and scores text with it, on any Engine. It
// knows no GPU, no browser and no user interface.
package runtime

import (
	"context"
	"errors"
	"fmt"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/runtime/policy"
)

// ErrWindow is wrapped when a pass would reach beyond the model's window.
var ErrWindow = errors.New("beyond the model's window")

// Engine runs the forward pass of one model. It keeps the keys and values of committed tokens, always
// whole blocks, and nothing else between calls. It is not safe for concurrent use.
type Engine interface {
	// Config describes the model.
	Config() *model.Config
	// Len is the number of committed tokens.
	Len() int
	// Commit runs clean tokens, whole blocks, under the block-causal mask and keeps their keys and
	// values.
	Commit(ctx context.Context, tokens []int) error
	// Denoise runs canvas, at most one block of clean and masked tokens, against the committed ones
	// and keeps nothing. It returns a candidate for each of rows, in their order, in memory that the
	// next call may use again.
	Denoise(ctx context.Context, canvas, rows []int, o draw.Options) ([]draw.Candidate, error)
	// CommitDenoise is Commit(tokens) and then Denoise(canvas, …) in one pass.
	CommitDenoise(ctx context.Context, tokens, canvas, rows []int, o draw.Options) ([]draw.Candidate, error)
	// Logits runs canvas as Denoise does and returns the head's raw output, (len(canvas), V), the
	// mask's own column included.
	Logits(ctx context.Context, canvas []int) ([]float32, error)
	// Truncate forgets the committed tokens from n on; n must be a multiple of the block size.
	Truncate(n int) error
	// Close frees what the engine holds. It must not be used afterwards.
	Close() error
}

// Stepper is an Engine that denoises a block without asking the policy after each pass, so that
// several passes are under way at once.
type Stepper interface {
	Engine
	// Steps is CommitDenoise again and again, with o.Step from 0 on, until no mask of canvas is left.
	// After each pass rule decides what is revealed: order lists the row of each pass for
	// policy.KindListed and is empty otherwise. done is called for each pass in turn, with the
	// candidates that it revealed.
	Steps(ctx context.Context, tokens, canvas []int, rule policy.Rule, order []int, o draw.Options,
		done func(step int, revealed []draw.Candidate) error) error
	// CanStep tells whether Steps runs blocks of the model's size.
	CanStep() bool
}

// CheckCommit is the validation that every engine's Commit starts with.
func CheckCommit(c *model.Config, length int, tokens []int) error {
	if len(tokens)%c.Block != 0 {
		return fmt.Errorf("commit: %d tokens are no whole number of blocks of %d", len(tokens), c.Block)
	}
	for i, id := range tokens {
		if id < 0 || id >= c.Vocab || id == c.Mask {
			return fmt.Errorf("commit: token %d is %d, expected 0 to %d and not the mask %d", i, id, c.Vocab-1, c.Mask)
		}
	}
	return checkWindow(c, length+len(tokens))
}

// CheckDenoise is the validation that every engine's Denoise starts with. rows may be nil.
func CheckDenoise(c *model.Config, length int, canvas, rows []int, o *draw.Options) error {
	if len(canvas) < 1 || len(canvas) > c.Block {
		return fmt.Errorf("canvas of %d tokens, expected 1 to %d", len(canvas), c.Block)
	}
	for i, id := range canvas {
		if id < 0 || id >= c.Vocab {
			return fmt.Errorf("canvas: token %d is %d, expected 0 to %d", i, id, c.Vocab-1)
		}
	}
	for i, row := range rows {
		if row < 0 || row >= len(canvas) {
			return fmt.Errorf("rows: %d, expected 0 to %d", row, len(canvas)-1)
		}
		if o.Force != nil && (i >= len(o.Force) || o.Force[i] < 0 || o.Force[i] >= c.Vocab || o.Force[i] == c.Mask) {
			return fmt.Errorf("force: no valid token for row %d", row)
		}
	}
	return checkWindow(c, length+len(canvas))
}

// CheckTruncate is the validation that every engine's Truncate starts with.
func CheckTruncate(c *model.Config, length, n int) error {
	if n < 0 || n > length || n%c.Block != 0 {
		return fmt.Errorf("truncate to %d of %d tokens: expected a multiple of %d within them", n, length, c.Block)
	}
	return nil
}

func checkWindow(c *model.Config, end int) error {
	if end > c.Window {
		return fmt.Errorf("%d tokens: %w of %d", end, ErrWindow, c.Window)
	}
	return nil
}

// Limit is the number of keys that a row sees in one pass: those of committed tokens and of all rows
// up to the end of its own block. base committed tokens precede the pass, which has rows rows in all.
// Under this one rule a pass of clean blocks is block-causal, a canvas sees its whole block, and both
// may share a pass.
func Limit(base, row, rows, block int) int { return base + min((row/block+1)*block, rows) }
