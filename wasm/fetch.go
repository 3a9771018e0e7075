//go:build js

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/unmask-lm/unmask/gpu/device/promise"
	"github.com/unmask-lm/unmask/runtime/protocol"
)

// pack gives access to a pack through the worker's openPack (web/package/src/store.ts), which fetches,
// hashes and keeps files and reports bytes as they arrive.
type pack struct {
	opened js.Value
	report js.Func
	abort  js.Value
	stop   func() bool
}

func openPack(ctx context.Context, url string) *pack {
	p := &pack{abort: js.Global().Get("AbortController").New()}
	p.report = js.FuncOf(func(_ js.Value, args []js.Value) any {
		post(protocol.Progress{Type: protocol.TypeProgress, Done: int64(args[0].Float()), Total: int64(args[1].Float())})
		return nil
	})
	p.opened = js.Global().Call("openPack", strings.TrimSuffix(url, "/"), p.report, p.abort.Get("signal"))
	p.stop = context.AfterFunc(ctx, func() { p.abort.Call("abort") })
	return p
}

// close ends what is still on its way.
func (p *pack) close() {
	p.stop()
	p.abort.Call("abort")
	p.report.Release()
}

// storeError is a failure with the code that the page is told.
type storeError struct {
	code string
	error
}

// ReadFile implements model.Files.
func (p *pack) ReadFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	value, err := promise.Await(ctx, p.opened.Call("read", name))
	if err != nil {
		var rejected *promise.Rejection
		if errors.As(err, &rejected) && rejected.Reason.Type() == js.TypeObject && rejected.Reason.Get("code").Type() == js.TypeString {
			return nil, storeError{rejected.Reason.Get("code").String(), errors.New(rejected.Reason.Get("message").String())}
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(value.Length()) > limit {
		return nil, fmt.Errorf("%s: %d bytes, more than the expected %d", name, value.Length(), limit)
	}
	data := make([]byte, value.Length())
	js.CopyBytesToGo(data, value)
	return data, nil
}
