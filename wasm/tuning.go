//go:build js

package main

import (
	"context"
	"syscall/js"

	"github.com/unmask-lm/unmask/gpu/device/promise"
	"github.com/unmask-lm/unmask/model/sha256"
)

// tuning keeps measurements of GPUs in a cache of the page's origin. Where there is none, or it is full,
// they are made anew.
type tuning struct{}

// tuningCache is its name, which the service worker leaves alone.
const tuningCache = "unmask-tuning"

func (tuning) open(key string) (cache, url js.Value, ok bool) {
	caches := js.Global().Get("caches")
	if !caches.Truthy() {
		return cache, url, false
	}
	cache, err := promise.Await(context.Background(), caches.Call("open", tuningCache))
	return cache, js.ValueOf("tuning/" + sha256.Hex([]byte(key))), err == nil
}

// Load implements gpu.Tuning.
func (t tuning) Load(key string) []byte {
	cache, url, ok := t.open(key)
	if !ok {
		return nil
	}
	response, err := promise.Await(context.Background(), cache.Call("match", url))
	if err != nil || !response.Truthy() {
		return nil
	}
	text, err := promise.Await(context.Background(), response.Call("text"))
	if err != nil {
		return nil
	}
	return []byte(text.String())
}

// Save implements gpu.Tuning.
func (t tuning) Save(key string, data []byte) {
	if cache, url, ok := t.open(key); ok {
		response := js.Global().Get("Response").New(string(data))
		_, _ = promise.Await(context.Background(), cache.Call("put", url, response)) // losing it costs another measurement
	}
}
