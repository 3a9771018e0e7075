//go:build js

// Package promise waits for JavaScript promises.
package promise

import (
	"context"
	"syscall/js"
)

// Rejection is the error of a promise that was rejected.
type Rejection struct{ Reason js.Value }

func (r *Rejection) Error() string { return js.Global().Call("String", r.Reason).String() }

// Await waits for a promise without blocking the event loop. A rejection becomes an error.
func Await(ctx context.Context, promise js.Value) (js.Value, error) {
	type settled struct {
		value js.Value
		err   error
	}
	done := make(chan settled, 1)
	// Whichever is called releases both; they must outlive a wait that ctx ends.
	var resolve, reject js.Func
	settle := func(s settled) any {
		resolve.Release()
		reject.Release()
		done <- s
		return nil
	}
	resolve = js.FuncOf(func(_ js.Value, args []js.Value) any { return settle(settled{value: args[0]}) })
	reject = js.FuncOf(func(_ js.Value, args []js.Value) any {
		return settle(settled{err: &Rejection{args[0]}})
	})
	promise.Call("then", resolve, reject)
	select {
	case s := <-done:
		return s.value, s.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}
