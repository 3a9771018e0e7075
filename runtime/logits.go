package runtime

import (
	"context"
	"fmt"
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
