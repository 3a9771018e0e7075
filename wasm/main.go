//go:build js

// Command wasm is the runtime in a browser's Web Worker: requests of runtime/protocol come in as
// messages, events go out the same way, each as JSON text.
package main

import (
	"context"
	"fmt"
	"syscall/js"

	"github.com/unmask-lm/unmask/model/strictjson"
	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/runtime/session"
)

func main() {
	w := &worker{requests: make(chan string, 16)}
	handler := js.FuncOf(func(_ js.Value, args []js.Value) any {
		w.receive(args[0].Get("data").String())
		return nil
	})
	js.Global().Set("onmessage", handler)
	js.Global().Call("postMessage", "started")
	for text := range w.requests {
		w.serve(text)
	}
}

// requestHead is what every request holds.
type requestHead struct {
	Type string `json:"type"`
}

// worker serves one request at a time; stop is heard meanwhile.
type worker struct {
	requests chan string
	cancel   context.CancelFunc // of the running request, or nil
	model    *loaded
}

// receive runs on the event loop and must not wait.
func (w *worker) receive(text string) {
	var head requestHead
	if strictjson.UnmarshalKnown([]byte(text), &head) == nil && head.Type == protocol.TypeStop {
		if w.cancel != nil {
			w.cancel()
		}
		return
	}
	select {
	case w.requests <- text:
	default:
		post(protocol.Error{Type: protocol.TypeError, Code: protocol.CodeRequest, Message: "too many requests at once"})
	}
}

func (w *worker) serve(text string) {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	defer func() {
		w.cancel = nil
		cancel()
	}()
	if err := w.dispatch(ctx, text); err != nil {
		post(protocol.Error{Type: protocol.TypeError, Code: codeOf(err), Message: err.Error()})
	}
}

func (w *worker) dispatch(ctx context.Context, text string) error {
	var head requestHead
	if err := strictjson.UnmarshalKnown([]byte(text), &head); err != nil {
		return session.RequestError{Err: err}
	}
	if head.Type == protocol.TypeLoad {
		return handle(text, func(q protocol.Load) error { return w.load(ctx, q) })
	}
	if w.model == nil {
		return session.RequestError{Err: fmt.Errorf("%q before a model is loaded", head.Type)}
	}
	switch head.Type {
	case protocol.TypeGenerate:
		return handle(text, func(q protocol.Generate) error { return w.model.Generate(ctx, q, w.model.emit) })
	case protocol.TypeLogits:
		return handle(text, func(q protocol.Logits) error { return w.model.logits(ctx, q) })
	case protocol.TypeAlternatives:
		return handle(text, func(q protocol.Alternatives) error { return w.model.alternatives(ctx, q) })
	case protocol.TypeTokenize:
		return handle(text, func(q protocol.Tokenize) error { return w.model.tokenize(q) })
	case protocol.TypeScore:
		return handle(text, func(q protocol.Score) error { return w.model.score(ctx, q) })
	}
	return session.RequestError{Err: fmt.Errorf("unknown request %q", head.Type)}
}

// handle decodes a request and serves it.
func handle[Q any](text string, serve func(Q) error) error {
	var q Q
	if err := strictjson.Unmarshal([]byte(text), &q); err != nil {
		return session.RequestError{Err: err}
	}
	return serve(q)
}

// post sends an event to the page.
func post(event any) {
	text, err := strictjson.Marshal(event)
	if err != nil {
		panic(err) // events hold numbers and strings
	}
	js.Global().Call("postMessage", string(text))
}
