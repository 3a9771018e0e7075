//go:build js

package device

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"

	"github.com/unmask-lm/unmask/gpu/device/promise"
	"github.com/unmask-lm/unmask/gpu/shaders"
)

type (
	buffer = *js.Value
	group  = *js.Value
	pipe   = *jsPipe
)

type jsPipe struct{ layout, pipeline js.Value }

// platform is the browser's WebGPU.
type platform struct {
	gpu, queue js.Value
	gone       error    // the first error that the device reported by itself
	bytes      js.Value // a Uint8Array through which writes go
	room       int
	listeners  []js.Func
}

func (d *Device) open(ctx context.Context) error {
	api := js.Global().Get("navigator").Get("gpu")
	if !api.Truthy() {
		return fmt.Errorf("%w: this browser has no navigator.gpu (Chrome and Edge from 113, Safari from 26 and Firefox from 141 do, on pages served over https or from localhost)", ErrUnsupported)
	}
	adapter, err := promise.Await(ctx, api.Call("requestAdapter", map[string]any{"powerPreference": "high-performance"}))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	if !adapter.Truthy() {
		return fmt.Errorf("%w: the browser found no adapter", ErrUnsupported)
	}
	d.Features = map[string]bool{}
	var features []any
	for _, name := range []string{shaders.FeatureF16, shaders.FeatureSubgroups} {
		if adapter.Get("features").Call("has", name).Bool() {
			d.Features[name] = true
			features = append(features, name)
		}
	}
	p := &d.platform
	if p.gpu, err = promise.Await(ctx, adapter.Call("requestDevice", map[string]any{"requiredFeatures": features})); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	p.queue = p.gpu.Get("queue")
	d.Info = describe(adapter.Get("info"))
	p.watch()
	return nil
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
	return Info{Name: name, Driver: text("device"), Software: info.Get("isFallbackAdapter").Truthy()}
}

// watch keeps the first error that the device reports by itself.
func (p *platform) watch() {
	fail := func(err error) {
		if p.gone == nil {
			p.gone = err
		}
	}
	onError := js.FuncOf(func(_ js.Value, args []js.Value) any {
		e := args[0].Get("error")
		message := e.Get("message").String()
		if e.Get("constructor").Get("name").String() == "GPUOutOfMemoryError" {
			fail(fmt.Errorf("%w: %s", ErrOutOfMemory, message))
		} else {
			fail(fmt.Errorf("WebGPU: %s", message))
		}
		return nil
	})
	onLost := js.FuncOf(func(_ js.Value, args []js.Value) any {
		fail(fmt.Errorf("%w: %s", ErrLost, args[0].Get("message").String()))
		return nil
	})
	p.gpu.Call("addEventListener", "uncapturederror", onError)
	p.gpu.Get("lost").Call("then", onLost)
	p.listeners = []js.Func{onError, onLost}
}

func (p *platform) failure() error { return p.gone }

// Destroy makes the device unusable, as a driver that resets does: for tests of what then happens.
func (d *Device) Destroy() { d.platform.gpu.Call("destroy") }

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

var bindingTypes = map[shaders.Access]string{
	shaders.Uniform: "uniform", shaders.Read: "read-only-storage", shaders.ReadWrite: "storage",
}

const shaderStageCompute = 4

// compile asks for all pipelines before it waits for the first.
func (p *platform) compile(ctx context.Context, kernels []shaders.Kernel) (out []pipe, err error) {
	defer catch(&err)
	promises := make([]js.Value, len(kernels))
	for i, k := range kernels {
		var entries []any
		for j, b := range k.Bindings {
			entries = append(entries, map[string]any{
				"binding": j, "visibility": shaderStageCompute,
				"buffer": map[string]any{"type": bindingTypes[b.Access], "hasDynamicOffset": j == 0 && dynamic(k)},
			})
		}
		layout := p.gpu.Call("createBindGroupLayout", map[string]any{"label": k.Name, "entries": entries})
		whole := p.gpu.Call("createPipelineLayout", map[string]any{"bindGroupLayouts": []any{layout}})
		module := p.gpu.Call("createShaderModule", map[string]any{"label": k.Name, "code": k.Source})
		promises[i] = p.gpu.Call("createComputePipelineAsync", map[string]any{
			"label": k.Name, "layout": whole, "compute": map[string]any{"module": module, "entryPoint": "main"},
		})
		out = append(out, &jsPipe{layout: layout})
	}
	for i, k := range kernels {
		if out[i].pipeline, err = promise.Await(ctx, promises[i]); err != nil {
			return nil, fmt.Errorf("kernel %s: %w", k.Name, err)
		}
	}
	return out, nil
}

// Usages of buffers, as WebGPU numbers them.
const (
	usageMapRead = 1 << 0
	usageCopySrc = 1 << 2
	usageCopyDst = 1 << 3
	usageUniform = 1 << 6
	usageStorage = 1 << 7
)

var bufferUsages = map[Usage]int{
	Storage: usageStorage | usageCopyDst | usageCopySrc, Uniform: usageUniform | usageCopyDst, readback: usageMapRead | usageCopyDst,
}

func (p *platform) buffer(label string, size int64, usage Usage) (out buffer, err error) {
	defer catch(&err)
	b := p.gpu.Call("createBuffer", map[string]any{"label": label, "size": size, "usage": bufferUsages[usage]})
	return &b, p.gone
}

func (p *platform) write(b buffer, offset int64, data []byte) (err error) {
	defer catch(&err)
	if p.room < len(data) {
		p.bytes, p.room = js.Global().Get("Uint8Array").New(len(data)), len(data)
	}
	js.CopyBytesToJS(p.bytes, data)
	p.queue.Call("writeBuffer", *b, offset, p.bytes, 0, len(data))
	return nil
}

func (p *platform) bind(to pipe, label string, buffers []buffer, sizes []int64) (out group, err error) {
	defer catch(&err)
	var entries []any
	for i, b := range buffers {
		entries = append(entries, map[string]any{"binding": i, "resource": map[string]any{"buffer": *b, "size": sizes[i]}})
	}
	g := p.gpu.Call("createBindGroup", map[string]any{"label": label, "layout": to.layout, "entries": entries})
	return &g, nil
}

func (p *platform) submit(commands []encoded, from buffer, offset int64, to buffer, size int64) (err error) {
	defer catch(&err)
	encoder := p.gpu.Call("createCommandEncoder")
	if len(commands) > 0 {
		pass := encoder.Call("beginComputePass")
		offsets := js.Global().Get("Uint32Array").New(1)
		for i := range commands {
			c := &commands[i]
			pass.Call("setPipeline", c.pipe.pipeline)
			if c.dynamic {
				offsets.SetIndex(0, c.offset)
				pass.Call("setBindGroup", 0, *c.group, offsets, 0, 1)
			} else {
				pass.Call("setBindGroup", 0, *c.group)
			}
			pass.Call("dispatchWorkgroups", c.groups[0], c.groups[1], c.groups[2])
		}
		pass.Call("end")
	}
	if size > 0 {
		encoder.Call("copyBufferToBuffer", *from, offset, *to, 0, size)
	}
	p.queue.Call("submit", []any{encoder.Call("finish")})
	return nil
}

const mapModeRead = 1

// mapped maps a staging buffer and copies size bytes out, yielding to the event loop meanwhile.
func (p *platform) mapped(b buffer, size int64) (out []byte, err error) {
	defer catch(&err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := promise.Await(ctx, b.Call("mapAsync", mapModeRead, 0, size)); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("%w: %w for %v", ErrLost, ErrHung, patience)
		}
		if p.gone == nil {
			p.gone = fmt.Errorf("%w: reading back: %w", ErrLost, err)
		}
		return nil, p.gone
	}
	out = make([]byte, size)
	js.CopyBytesToGo(out, js.Global().Get("Uint8Array").New(b.Call("getMappedRange", 0, size)))
	b.Call("unmap")
	return out, nil
}

func (*platform) freeGroup(group) {}

func (*platform) freeBuffer(b buffer) { b.Call("destroy") }

// close lets the browser free everything that was made on the device.
func (p *platform) close(*Device) {
	p.gpu.Call("destroy")
}
