//go:build !js

package device

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cogentcore/webgpu/wgpu"

	"github.com/unmask-lm/unmask/gpu/shaders"
)

type (
	buffer = *wgpu.Buffer
	group  = *wgpu.BindGroup
	pipe   = *nativePipe
)

type nativePipe struct {
	layout   *wgpu.BindGroupLayout
	pipeline *wgpu.ComputePipeline
}

// platform is wgpu-native.
type platform struct {
	instance *wgpu.Instance
	gpu      *wgpu.Device
	queue    *wgpu.Queue
	gone     error // why the device is, once it is
	// The binding's error scopes are those of the device, whichever thread opened them.
	making sync.Mutex
}

// runtimeDir is where a desktop session keeps its sockets. wgpu looks at OpenGL beside Vulkan, and
// where the variable is missing, Mesa complains about that on standard error.
const runtimeDir = "XDG_RUNTIME_DIR"

func (d *Device) open(context.Context) error {
	wgpu.SetLogLevel(wgpu.LogLevelError)
	if os.Getenv(runtimeDir) == "" {
		os.Setenv(runtimeDir, os.TempDir())
	}
	p := &d.platform
	p.instance = wgpu.CreateInstance(nil) // the binding leaves fields of a descriptor uninitialised
	adapter, err := p.instance.RequestAdapter(&wgpu.RequestAdapterOptions{PowerPreference: wgpu.PowerPreferenceHighPerformance})
	if err != nil {
		p.instance.Release()
		return fmt.Errorf("%w: no adapter (%w); a driver is needed, such as Debian's mesa-vulkan-drivers", ErrUnsupported, err)
	}
	defer adapter.Release()
	info := adapter.GetInfo()
	// The binding calls the adapter's name its driver's description, and its number its name.
	d.Info = Info{Name: info.DriverDescription, Driver: info.Name, Software: info.AdapterType == wgpu.AdapterTypeCPU}
	// The binding's lost callback breaks cgo's pointer rules; a lost device shows when reading back.
	if p.gpu, err = adapter.RequestDevice(nil); err != nil {
		p.instance.Release()
		return fmt.Errorf("%s: %w", info.Name, err)
	}
	p.queue = p.gpu.GetQueue()
	return nil
}

func (p *platform) failure() error { return p.gone }

// Destroy makes the device unusable, as a driver that resets does: for tests of what then happens.
func (d *Device) Destroy() { d.platform.gone = fmt.Errorf("%w: destroyed", ErrLost) }

var bindingTypes = map[shaders.Access]wgpu.BufferBindingType{
	shaders.Uniform:   wgpu.BufferBindingTypeUniform,
	shaders.Read:      wgpu.BufferBindingTypeReadOnlyStorage,
	shaders.ReadWrite: wgpu.BufferBindingTypeStorage,
}

func (p *platform) compile(ctx context.Context, kernels []shaders.Kernel) ([]pipe, error) {
	out := make([]pipe, len(kernels))
	for i, k := range kernels {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if out[i], err = p.compileOne(k); err != nil {
			return nil, fmt.Errorf("kernel %s: %w", k.Name, err)
		}
	}
	return out, nil
}

func (p *platform) compileOne(k shaders.Kernel) (pipe, error) {
	p.making.Lock()
	defer p.making.Unlock()
	layout := &wgpu.BindGroupLayoutDescriptor{Label: k.Name}
	for i, b := range k.Bindings {
		layout.Entries = append(layout.Entries, wgpu.BindGroupLayoutEntry{
			Binding: uint32(i), Visibility: wgpu.ShaderStageCompute,
			Buffer: wgpu.BufferBindingLayout{Type: bindingTypes[b.Access], HasDynamicOffset: i == 0 && dynamic(k)},
		})
	}
	out := &nativePipe{}
	var err error
	if out.layout, err = p.gpu.CreateBindGroupLayout(layout); err != nil {
		return nil, err
	}
	whole, err := p.gpu.CreatePipelineLayout(&wgpu.PipelineLayoutDescriptor{Label: k.Name, BindGroupLayouts: []*wgpu.BindGroupLayout{out.layout}})
	if err != nil {
		return nil, err
	}
	defer whole.Release()
	module, err := p.gpu.CreateShaderModule(&wgpu.ShaderModuleDescriptor{Label: k.Name, WGSLDescriptor: &wgpu.ShaderModuleWGSLDescriptor{Code: k.Source}})
	if err != nil {
		return nil, err
	}
	defer module.Release()
	out.pipeline, err = p.gpu.CreateComputePipeline(&wgpu.ComputePipelineDescriptor{
		Layout: whole, Compute: wgpu.ProgrammableStageDescriptor{Module: module, EntryPoint: "main"},
	})
	return out, err
}

var bufferUsages = map[Usage]wgpu.BufferUsage{
	Storage:  wgpu.BufferUsageStorage | wgpu.BufferUsageCopyDst | wgpu.BufferUsageCopySrc,
	Uniform:  wgpu.BufferUsageUniform | wgpu.BufferUsageCopyDst,
	readback: wgpu.BufferUsageMapRead | wgpu.BufferUsageCopyDst,
}

func (p *platform) buffer(label string, size int64, usage Usage) (buffer, error) {
	p.making.Lock()
	defer p.making.Unlock()
	b, err := p.gpu.CreateBuffer(&wgpu.BufferDescriptor{Label: label, Size: uint64(size), Usage: bufferUsages[usage]})
	if err != nil && strings.Contains(strings.ToLower(err.Error()), "memory") {
		err = fmt.Errorf("%w: %w", ErrOutOfMemory, err)
	}
	return b, err
}

func (p *platform) write(b buffer, offset int64, data []byte) error {
	if p.gone != nil {
		return p.gone
	}
	p.making.Lock()
	defer p.making.Unlock()
	return p.queue.WriteBuffer(b, uint64(offset), data)
}

func (p *platform) bind(to pipe, label string, buffers []buffer, sizes []int64) (group, error) {
	desc := &wgpu.BindGroupDescriptor{Label: label, Layout: to.layout}
	for i, b := range buffers {
		desc.Entries = append(desc.Entries, wgpu.BindGroupEntry{Binding: uint32(i), Buffer: b, Size: uint64(sizes[i])})
	}
	return p.gpu.CreateBindGroup(desc)
}

func (p *platform) submit(commands []encoded, from buffer, offset int64, to buffer, size int64) error {
	encoder, err := p.gpu.CreateCommandEncoder(nil)
	if err != nil {
		return err
	}
	defer encoder.Release()
	if len(commands) > 0 {
		if err := encodePass(encoder, commands); err != nil {
			return err
		}
	}
	if size > 0 {
		if err := encoder.CopyBufferToBuffer(from, uint64(offset), to, 0, uint64(size)); err != nil {
			return err
		}
	}
	work, err := encoder.Finish(nil)
	if err != nil {
		return err
	}
	defer work.Release()
	p.queue.Submit(work)
	return nil
}

func encodePass(encoder *wgpu.CommandEncoder, commands []encoded) error {
	pass := encoder.BeginComputePass(nil)
	defer pass.Release() // before the encoder finishes, as wgpu-native asks
	var offsets [1]uint32
	for i := range commands {
		c := &commands[i]
		pass.SetPipeline(c.pipe.pipeline)
		if c.dynamic {
			offsets[0] = c.offset
			pass.SetBindGroup(0, c.group, offsets[:])
		} else {
			pass.SetBindGroup(0, c.group, nil)
		}
		pass.DispatchWorkgroups(c.groups[0], c.groups[1], c.groups[2])
	}
	return pass.End()
}

// mapped maps a staging buffer and copies size bytes out.
func (p *platform) mapped(b buffer, size int64) ([]byte, error) {
	if p.gone != nil {
		return nil, p.gone
	}
	done := false
	var status wgpu.BufferMapAsyncStatus
	err := b.MapAsync(wgpu.MapModeRead, 0, uint64(size), func(s wgpu.BufferMapAsyncStatus) {
		done, status = true, s
	})
	if err != nil {
		return nil, err
	}
	for began := time.Now(); !done; { // Poll gives up after some seconds; the work is still under way then
		p.gpu.Poll(true, nil)
		if !done && time.Since(began) > patience {
			p.gone = fmt.Errorf("%w: %w for %v", ErrLost, ErrHung, patience)
			return nil, p.gone
		}
	}
	if status != wgpu.BufferMapAsyncStatusSuccess {
		p.gone = fmt.Errorf("%w: reading back: %v", ErrLost, status)
		return nil, p.gone
	}
	out := bytes.Clone(b.GetMappedRange(0, uint(size)))
	return out, b.Unmap()
}

func (*platform) freeGroup(g group) { g.Release() }

func (*platform) freeBuffer(b buffer) {
	b.Destroy()
	b.Release()
}

func (p *platform) close(d *Device) {
	for _, each := range d.pipelines {
		each.pipe.pipeline.Release()
		each.pipe.layout.Release()
	}
	p.queue.Release()
	p.gpu.Release()
	p.instance.Release()
}
