// Package device carries out recordings on WebGPU. It is the only package that knows the WebGPU
// binding (cogentcore/webgpu), which has one API natively and in the browser but for opening, reading
// back and losing a device: those are in device_native.go and device_js.go.
package device

import (
	"context"
	"errors"
	"fmt"

	"github.com/cogentcore/webgpu/wgpu"

	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/gpu/shaders"
)

// ErrUnsupported is wrapped when there is no WebGPU here, or no adapter.
var ErrUnsupported = errors.New("WebGPU is not available")

// ErrLost is wrapped when the device went away.
var ErrLost = errors.New("GPU device lost")

// MaxBinding is WebGPU's default limit on one storage binding, in bytes. A device has the default
// limits, which every adapter offers, and nothing more.
const MaxBinding = 128 << 20

// Info describes an adapter.
type Info struct {
	Name   string // of the GPU, or of the software that stands in
	Driver string
}

// Device is an open GPU device with its buffers and pipelines.
type Device struct {
	Info Info

	gpu       *wgpu.Device
	queue     *wgpu.Queue
	buffers   []*wgpu.Buffer
	sizes     []int64
	pipelines map[string]*pipeline
	staging   *wgpu.Buffer
	stagingN  int64
	lost      func() error // why the device is gone, or nil
	release   func()
}

type pipeline struct {
	kernel   shaders.Kernel
	layout   *wgpu.BindGroupLayout
	pipeline *wgpu.ComputePipeline
	groups   map[string]*wgpu.BindGroup // by the buffers bound
}

// Open opens a device on the adapter of highest performance, and compiles every kernel.
func Open(ctx context.Context) (*Device, error) {
	d, err := open(ctx)
	if err != nil {
		return nil, err
	}
	d.queue = d.gpu.GetQueue()
	d.pipelines = map[string]*pipeline{}
	for _, k := range shaders.All() {
		if err := d.compile(k); err != nil {
			d.Close()
			return nil, fmt.Errorf("kernel %s: %w", k.Name, err)
		}
	}
	return d, nil
}

var bindingTypes = map[shaders.Access]wgpu.BufferBindingType{
	shaders.Uniform:   wgpu.BufferBindingTypeUniform,
	shaders.Read:      wgpu.BufferBindingTypeReadOnlyStorage,
	shaders.ReadWrite: wgpu.BufferBindingTypeStorage,
}

func (d *Device) compile(k shaders.Kernel) error {
	p := &pipeline{kernel: k, groups: map[string]*wgpu.BindGroup{}}
	layout := &wgpu.BindGroupLayoutDescriptor{Label: k.Name}
	for i, b := range k.Bindings {
		layout.Entries = append(layout.Entries, wgpu.BindGroupLayoutEntry{
			Binding: uint32(i), Visibility: wgpu.ShaderStageCompute, Buffer: wgpu.BufferBindingLayout{Type: bindingTypes[b.Access]},
		})
	}
	var err error
	if p.layout, err = d.gpu.CreateBindGroupLayout(layout); err != nil {
		return err
	}
	whole, err := d.gpu.CreatePipelineLayout(&wgpu.PipelineLayoutDescriptor{Label: k.Name, BindGroupLayouts: []*wgpu.BindGroupLayout{p.layout}})
	if err != nil {
		return err
	}
	defer whole.Release()
	module, err := d.gpu.CreateShaderModule(&wgpu.ShaderModuleDescriptor{Label: k.Name, WGSLDescriptor: &wgpu.ShaderModuleWGSLDescriptor{Code: k.Source}})
	if err != nil {
		return err
	}
	defer module.Release()
	p.pipeline, err = d.gpu.CreateComputePipeline(&wgpu.ComputePipelineDescriptor{
		Layout: whole, Compute: wgpu.ProgrammableStageDescriptor{Module: module, EntryPoint: "main"},
	})
	d.pipelines[k.Name] = p
	return err
}

// Usage says what a buffer is for.
type Usage int

// Usages.
const (
	Storage Usage = iota
	Uniform
)

// NewBuffer makes a buffer of at least size bytes, all zero.
func (d *Device) NewBuffer(label string, size int64, usage Usage) (record.BufferID, error) {
	size = (max(size, 16) + 15) &^ 15
	flags := wgpu.BufferUsageCopyDst | wgpu.BufferUsageCopySrc | wgpu.BufferUsageStorage
	if usage == Uniform {
		flags = wgpu.BufferUsageCopyDst | wgpu.BufferUsageUniform
	}
	b, err := d.gpu.CreateBuffer(&wgpu.BufferDescriptor{Label: label, Size: uint64(size), Usage: flags})
	if err != nil {
		return 0, fmt.Errorf("buffer %s of %d bytes: %w", label, size, err)
	}
	d.buffers, d.sizes = append(d.buffers, b), append(d.sizes, size)
	return record.BufferID(len(d.buffers) - 1), nil
}

// Write copies data into a buffer; its length must be a multiple of 4.
func (d *Device) Write(id record.BufferID, offset int64, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	return writeBuffer(d.queue, d.buffers[id], uint64(offset), data)
}

// Run carries out a recording in one compute pass and one submission. Where size is not 0 it then
// reads that many bytes from the start of buffer from.
func (d *Device) Run(ctx context.Context, r *record.Recording, from record.BufferID, size int64) ([]byte, error) {
	if err := d.lost(); err != nil {
		return nil, err
	}
	encoder, err := d.gpu.CreateCommandEncoder(nil)
	if err != nil {
		return nil, err
	}
	defer encoder.Release()
	if err := d.encode(encoder, r); err != nil {
		return nil, err
	}
	if size > 0 {
		if err := d.stage(encoder, from, size); err != nil {
			return nil, err
		}
	}
	commands, err := encoder.Finish(nil)
	if err != nil {
		return nil, err
	}
	defer commands.Release()
	d.queue.Submit(commands)
	if size == 0 {
		return nil, nil
	}
	return d.read(ctx, size)
}

func (d *Device) encode(encoder *wgpu.CommandEncoder, r *record.Recording) error {
	pass := encoder.BeginComputePass(nil)
	defer pass.Release()
	for _, c := range r.Commands {
		p := d.pipelines[c.Kernel]
		group, err := d.bind(p, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Label, err)
		}
		pass.SetPipeline(p.pipeline)
		pass.SetBindGroup(0, group, nil)
		pass.DispatchWorkgroups(c.Groups[0], c.Groups[1], c.Groups[2])
	}
	pass.End()
	return nil
}

// bind returns the bind group of a command, made at its first use.
func (d *Device) bind(p *pipeline, c record.Command) (*wgpu.BindGroup, error) {
	key := make([]byte, 0, 32)
	for _, id := range c.Bindings {
		key = append(key, byte(id), byte(id>>8), byte(id>>16))
	}
	if g, ok := p.groups[string(key)]; ok {
		return g, nil
	}
	if len(c.Bindings) != len(p.kernel.Bindings) {
		return nil, fmt.Errorf("%d buffers for the %d bindings of kernel %s", len(c.Bindings), len(p.kernel.Bindings), p.kernel.Name)
	}
	desc := &wgpu.BindGroupDescriptor{Label: c.Label, Layout: p.layout}
	for i, id := range c.Bindings {
		desc.Entries = append(desc.Entries, wgpu.BindGroupEntry{Binding: uint32(i), Buffer: d.buffers[id], Size: uint64(d.sizes[id])})
	}
	g, err := d.gpu.CreateBindGroup(desc)
	if err != nil {
		return nil, err
	}
	p.groups[string(key)] = g
	return g, nil
}

// stage appends a copy to the buffer that the host can map.
func (d *Device) stage(encoder *wgpu.CommandEncoder, from record.BufferID, size int64) error {
	if d.stagingN < size {
		if d.staging != nil {
			d.staging.Destroy()
			d.staging.Release()
		}
		b, err := d.gpu.CreateBuffer(&wgpu.BufferDescriptor{Label: "staging", Size: uint64(size), Usage: wgpu.BufferUsageMapRead | wgpu.BufferUsageCopyDst})
		if err != nil {
			return err
		}
		d.staging, d.stagingN = b, size
	}
	return encoder.CopyBufferToBuffer(d.buffers[from], 0, d.staging, 0, uint64(size))
}

// Close frees the device and everything made on it.
func (d *Device) Close() {
	for _, p := range d.pipelines {
		for _, g := range p.groups {
			g.Release()
		}
		if p.pipeline != nil {
			p.pipeline.Release()
		}
		if p.layout != nil {
			p.layout.Release()
		}
	}
	for _, b := range append(d.buffers, d.staging) {
		if b != nil {
			b.Destroy()
			b.Release()
		}
	}
	d.release()
}
