//go:build js

package device

import (
	"context"
	"fmt"
	"syscall/js"

	"github.com/cogentcore/webgpu/wgpu"

	"github.com/unmask-lm/unmask/gpu/device/promise"
)

// The binding's browser half reports no errors, so the device is requested here and handed to it.
func open(ctx context.Context) (*Device, error) {
	gpu := js.Global().Get("navigator").Get("gpu")
	if !gpu.Truthy() {
		return nil, fmt.Errorf("%w: this browser has no navigator.gpu (Chrome and Edge from 113, Safari from 26 and Firefox from 141 do, on pages served over https or from localhost)", ErrUnsupported)
	}
	adapter, err := promise.Await(ctx, gpu.Call("requestAdapter", map[string]any{"powerPreference": "high-performance"}))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	if !adapter.Truthy() {
		return nil, fmt.Errorf("%w: the browser found no adapter", ErrUnsupported)
	}
	value, err := promise.Await(ctx, adapter.Call("requestDevice"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	device := wgpu.NewDevice(value)
	d := &Device{gpu: &device, Info: describe(adapter.Get("info"))}
	d.watch(value)
	return d, nil
}

func describe(info js.Value) Info {
	if !info.Truthy() {
		return Info{Name: "WebGPU"}
	}
	text := func(name string) string {
		if v := info.Get(name); v.Type() == js.TypeString {
			return v.String()
		}
		return ""
	}
	name := text("description")
	if name == "" {
		name = text("vendor") + " " + text("architecture")
	}
	return Info{Name: name, Driver: text("device")}
}

// watch keeps the first error that the device reports by itself.
func (d *Device) watch(device js.Value) {
	var gone error
	fail := func(prefix, message string) {
		if gone == nil {
			gone = fmt.Errorf("%s: %s", prefix, message)
		}
	}
	onError := js.FuncOf(func(_ js.Value, args []js.Value) any {
		fail("WebGPU", args[0].Get("error").Get("message").String())
		return nil
	})
	onLost := js.FuncOf(func(_ js.Value, args []js.Value) any {
		if args[0].Get("reason").String() != "destroyed" {
			gone = fmt.Errorf("%w: %s", ErrLost, args[0].Get("message").String())
		}
		return nil
	})
	device.Call("addEventListener", "uncapturederror", onError)
	device.Get("lost").Call("then", onLost)
	d.lost = func() error { return gone }
	d.release = func() { device.Call("destroy") }
}

// writeTries bounds how often a write is tried. The binding takes a view of the runtime's memory and
// then calls into JavaScript; if the memory grows in between, the view is detached and the call throws
// without an effect. A second growth in a row is unlikely, a fourth is something else.
const writeTries = 4

func writeBuffer(q *wgpu.Queue, b *wgpu.Buffer, offset uint64, data []byte) (err error) {
	for range writeTries {
		if err = tryWrite(q, b, offset, data); err == nil {
			return nil
		}
	}
	return err
}

// catch turns a JavaScript exception into an error.
func catch(err *error) {
	switch e := recover().(type) {
	case nil:
	case js.Error:
		*err = e
	default:
		panic(e)
	}
}

func tryWrite(q *wgpu.Queue, b *wgpu.Buffer, offset uint64, data []byte) (err error) {
	defer catch(&err)
	return q.WriteBuffer(b, offset, data)
}

// read maps the staging buffer and copies size bytes out, yielding to the event loop meanwhile.
func (d *Device) read(ctx context.Context, size int64) ([]byte, error) {
	out, err := d.tryRead(size)
	if lost := d.lost(); lost != nil {
		return nil, lost
	}
	if err != nil {
		return nil, fmt.Errorf("%w: reading back: %w", ErrLost, err)
	}
	return out, ctx.Err()
}

func (d *Device) tryRead(size int64) (out []byte, err error) {
	defer catch(&err) // the binding reports a failed map by an exception
	if err := d.staging.MapAsync(wgpu.MapModeRead, 0, uint64(size), func(wgpu.BufferMapAsyncStatus) {}); err != nil {
		return nil, err
	}
	out = d.staging.GetMappedRange(0, uint(size)) // a copy, in the browser
	return out, d.staging.Unmap()
}
