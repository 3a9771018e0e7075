package gpu

import (
	"context"
	"errors"
	"fmt"

	"github.com/unmask-lm/unmask/gpu/device"
)

// replacements bounds how often one call may lose its device.
const replacements = 3

// retry runs work on the core; when its device is lost meanwhile, it opens another, commits what was
// committed, and runs the work again. after, if not nil, is called each time work ended, for better or
// worse, before the core is replaced.
func (e *Engine) retry(ctx context.Context, work func() error, after func()) error {
	for try := 0; ; try++ {
		err := work()
		if after != nil {
			after()
		}
		if !errors.Is(err, device.ErrLost) || try == replacements {
			return err
		}
		if err := e.replace(ctx, err); err != nil {
			return err
		}
	}
}

// replace opens another device in the same state.
func (e *Engine) replace(ctx context.Context, lost error) error {
	if e.options.Lost != nil {
		e.options.Lost(lost)
	}
	c, err := newCore(ctx, e.pack, e.options)
	if err != nil {
		return fmt.Errorf("%w; and no other device could be opened: %w", lost, err)
	}
	if err := c.commit(ctx, e.committed); err != nil {
		c.close()
		return fmt.Errorf("%w; and the next device failed: %w", lost, err)
	}
	old := e.core
	e.core = c
	old.close()
	return nil
}
