//go:build js

package main

import (
	"context"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/unmask-lm/unmask/gpu/device/promise"
	"github.com/unmask-lm/unmask/runtime/protocol"
)

// fetched gives access to a pack behind a URL, and reports bytes as they arrive.
type fetched struct {
	base        string
	done, total int64 // of whole files, as model.Open counts them
}

// report implements model.Progress.
func (f *fetched) report(done, total int64) {
	f.done, f.total = done, total
	f.post(0)
}

func (f *fetched) post(more int64) {
	if f.total > 0 {
		post(protocol.Progress{Type: protocol.TypeProgress, Done: min(f.done+more, f.total), Total: f.total})
	}
}

// ReadFile implements model.Files.
func (f *fetched) ReadFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	url := strings.TrimSuffix(f.base, "/") + "/" + name
	abort := js.Global().Get("AbortController").New()
	defer context.AfterFunc(ctx, func() { abort.Call("abort") })()
	response, err := promise.Await(ctx, js.Global().Call("fetch", url, map[string]any{"signal": abort.Get("signal")}))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	if !response.Get("ok").Bool() {
		return nil, fmt.Errorf("%s: the server answered %d %s", url, response.Get("status").Int(), response.Get("statusText").String())
	}
	body := response.Get("body").Call("getReader")
	var data []byte
	for {
		chunk, err := promise.Await(ctx, body.Call("read"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", url, err)
		}
		if chunk.Get("done").Bool() {
			return data, nil
		}
		value := chunk.Get("value")
		at := len(data)
		if int64(at+value.Length()) > limit {
			abort.Call("abort")
			return nil, fmt.Errorf("%s: more than the expected %d bytes", url, limit)
		}
		data = append(data, make([]byte, value.Length())...)
		js.CopyBytesToGo(data[at:], value)
		f.post(int64(len(data)))
	}
}
