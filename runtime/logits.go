package runtime

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// LogitRows returns the head's raw output for each token of canvas behind context, whole blocks of
// clean tokens. It forgets what the engine had committed.
func LogitRows(ctx context.Context, engine Engine, context, canvas []int) ([][]float32, error) {
	if err := engine.Truncate(0); err != nil {
		return nil, err
	}
	if err := engine.Commit(ctx, context); err != nil {
		return nil, fmt.Errorf("context: %w", err)
	}
	flat, err := engine.Logits(ctx, canvas)
	if err != nil {
		return nil, err
	}
	v := engine.Config().Vocab
	rows := make([][]float32, len(canvas))
	for i := range rows {
		rows[i] = flat[i*v : (i+1)*v]
	}
	return rows, nil
}

// Alternative is a token that could stand at a position.
type Alternative struct {
	Token int
	Prob  float64 // at temperature 1, of all tokens but the mask
}

// Alternatives returns the count most probable tokens at position at of text, whose masks are Fill: what the
// model expects there given the blocks before and what stands in its own. It forgets what the engine
// had committed.
func Alternatives(ctx context.Context, engine Engine, text []int, at, count int) ([]Alternative, error) {
	c := engine.Config()
	if at < 0 || at >= len(text) || count < 1 {
		return nil, fmt.Errorf("position %d of %d, %d alternatives: expected a position inside and at least one", at, len(text), count)
	}
	start := at / c.Block * c.Block
	from := max(0, start-(c.Window/c.Block-1)*c.Block) // what fits the window before the block
	canvas := make([]int, c.Block)
	for i := range canvas {
		if canvas[i] = c.Mask; start+i < len(text) && start+i != at && text[start+i] != Fill {
			canvas[i] = text[start+i]
		}
	}
	rows, err := LogitRows(ctx, engine, text[from:start], canvas)
	if err != nil {
		return nil, err
	}
	logits := slices.Clone(rows[at-start])
	logits[c.Mask] = float32(math.Inf(-1))
	highest := float64(slices.Max(logits))
	var sum float64
	all := make([]Alternative, len(logits))
	for id, l := range logits {
		all[id] = Alternative{id, math.Exp(float64(l) - highest)}
		sum += all[id].Prob
	}
	slices.SortFunc(all, func(a, b Alternative) int {
		return cmp.Or(cmp.Compare(b.Prob, a.Prob), cmp.Compare(a.Token, b.Token))
	})
	all = all[:min(count, len(all)-1)]
	for i := range all {
		all[i].Prob /= sum
	}
	return all, nil
}
