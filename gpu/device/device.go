// Package device carries out recordings on WebGPU. It is the only package that knows WebGPU: natively
// through cogentcore/webgpu (native.go), in the browser through its own API (js.go).
package device

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/gpu/shaders"
)

// ErrUnsupported is wrapped when there is no WebGPU here, or no adapter.
var ErrUnsupported = errors.New("WebGPU is not available")

// ErrLost is wrapped when the device went away. A new one may work.
var ErrLost = errors.New("GPU device lost")

// ErrHung is wrapped, beside ErrLost, when work that was submitted does not end.
var ErrHung = errors.New("the GPU does not answer")

// ErrOutOfMemory is wrapped when the GPU has no room for a buffer.
var ErrOutOfMemory = errors.New("out of GPU memory")

// MaxBinding is WebGPU's default limit on one storage binding, in bytes. A device has the default
// limits, which every adapter offers, and nothing more.
const MaxBinding = 128 << 20

// SlotSize is the distance of the passes in a buffer of pass uniforms: WebGPU's default alignment of
// dynamic offsets.
const SlotSize = 256

// patience is how long a submission may take before the device counts as hung.
const patience = 60 * time.Second

// Info describes an adapter.
type Info struct {
	Name   string // of the GPU, or of the software that stands in
	Driver string
	// Software tells that a processor stands in for a GPU; it runs the CPU engine much faster.
	Software bool
}

// Device is an open GPU device with its buffers and pipelines. It is not safe for concurrent use.
type Device struct {
	Info     Info
	Features map[string]bool // those of shaders.Kernel that it has

	platform  platform
	buffers   []buffer
	sizes     []int64
	pipelines map[string]*pipeline
	staging   []staging // free
	pace      pace
	encoded   []encoded
	made      int
}

// Made counts the buffers and bind groups made so far: in steady state there are no more.
func (d *Device) Made() int { return d.made }

type pipeline struct {
	kernel shaders.Kernel
	pipe   pipe
	groups map[string]group // by the buffers bound
}

// encoded is a command as the platform takes it.
type encoded struct {
	pipe    pipe
	group   group
	dynamic bool // the first binding has an offset
	offset  uint32
	groups  [3]uint32
}

// staging is a buffer that the host can map.
type staging struct {
	buffer buffer
	size   int64
}

// Open opens a device on the adapter of highest performance.
func Open(ctx context.Context) (*Device, error) {
	d := &Device{pipelines: map[string]*pipeline{}}
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// Has tells whether the device has every feature that a kernel needs.
func (d *Device) Has(k shaders.Kernel) bool {
	for _, f := range k.Features {
		if !d.Features[f] {
			return false
		}
	}
	return true
}

// Compile compiles kernels, all at once where the platform can, that are not compiled yet.
func (d *Device) Compile(ctx context.Context, kernels []shaders.Kernel) error {
	var missing []shaders.Kernel
	for _, k := range kernels {
		if d.pipelines[k.Name] == nil {
			missing = append(missing, k)
		}
	}
	pipes, err := d.platform.compile(ctx, missing)
	if err != nil {
		return err
	}
	for i, k := range missing {
		d.pipelines[k.Name] = &pipeline{kernel: k, pipe: pipes[i], groups: map[string]group{}}
	}
	return nil
}

// Compiled tells whether a kernel is.
func (d *Device) Compiled(name string) bool { return d.pipelines[name] != nil }

// dynamic tells whether a kernel's first binding is the uniform that differs from pass to pass.
func dynamic(k shaders.Kernel) bool { return len(k.Bindings) > 0 && k.Bindings[0].Name == "call" }

// Usage says what a buffer is for.
type Usage int

// Usages.
const (
	Storage Usage = iota
	Uniform
	readback
)

// NewBuffer makes a buffer of at least size bytes, all zero.
func (d *Device) NewBuffer(label string, size int64, usage Usage) (record.BufferID, error) {
	size = (max(size, 16) + 15) &^ 15
	b, err := d.platform.buffer(label, size, usage)
	if err != nil {
		return 0, fmt.Errorf("buffer %s of %d bytes: %w", label, size, err)
	}
	d.made++
	d.buffers, d.sizes = append(d.buffers, b), append(d.sizes, size)
	return record.BufferID(len(d.buffers) - 1), nil
}

// Write copies data into a buffer, behind the work submitted so far and before what follows; its
// length must be a multiple of 4.
func (d *Device) Write(id record.BufferID, offset int64, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	return d.platform.write(d.buffers[id], offset, data)
}

// Err tells what is wrong with the device, if anything is. Errors of the GPU show late: after a batch
// of buffers was made or written, this is where to look.
func (d *Device) Err() error { return d.platform.failure() }

// bind returns the bind group of a command, made at its first use.
func (d *Device) bind(p *pipeline, c *record.Command) (group, error) {
	key := make([]byte, 0, 64)
	for _, id := range c.Bindings {
		key = append(key, byte(id), byte(id>>8), byte(id>>16))
	}
	if g, ok := p.groups[string(key)]; ok {
		return g, nil
	}
	if len(c.Bindings) != len(p.kernel.Bindings) {
		return nil, fmt.Errorf("%d buffers for the %d bindings of kernel %s", len(c.Bindings), len(p.kernel.Bindings), p.kernel.Name)
	}
	buffers, sizes := make([]buffer, len(c.Bindings)), make([]int64, len(c.Bindings))
	for i, id := range c.Bindings {
		buffers[i], sizes[i] = d.buffers[id], d.sizes[id]
	}
	if dynamic(p.kernel) {
		sizes[0] = min(sizes[0], SlotSize)
	}
	g, err := d.platform.bind(p.pipe, c.Label, buffers, sizes)
	if err == nil {
		d.made++
		p.groups[string(key)] = g
	}
	return g, err
}

// Reset frees every buffer and keeps the compiled kernels, so that another model may use the device.
// Nothing may be under way.
func (d *Device) Reset() {
	for _, p := range d.pipelines {
		for _, g := range p.groups {
			d.platform.freeGroup(g)
		}
		p.groups = map[string]group{}
	}
	for _, s := range d.staging {
		d.buffers = append(d.buffers, s.buffer)
	}
	for _, b := range d.buffers {
		d.platform.freeBuffer(b)
	}
	d.buffers, d.sizes, d.staging = nil, nil, nil
}

// Close frees the device and everything made on it.
func (d *Device) Close() {
	d.Reset()
	d.platform.close(d)
}
