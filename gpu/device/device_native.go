//go:build !js

package device

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/cogentcore/webgpu/wgpu"
)

// runtimeDir is where a desktop session keeps its sockets. wgpu looks at OpenGL beside Vulkan, and
// where the variable is missing, Mesa complains about that on standard error.
const runtimeDir = "XDG_RUNTIME_DIR"

func open(context.Context) (*Device, error) {
	wgpu.SetLogLevel(wgpu.LogLevelError)
	if os.Getenv(runtimeDir) == "" {
		os.Setenv(runtimeDir, os.TempDir())
	}
	instance := wgpu.CreateInstance(nil) // the binding leaves fields of a descriptor uninitialised
	adapter, err := instance.RequestAdapter(&wgpu.RequestAdapterOptions{PowerPreference: wgpu.PowerPreferenceHighPerformance})
	if err != nil {
		instance.Release()
		return nil, fmt.Errorf("%w: no adapter (%w); a driver is needed, such as Debian's mesa-vulkan-drivers", ErrUnsupported, err)
	}
	defer adapter.Release()
	info := adapter.GetInfo()
	d := &Device{Info: Info{Name: info.Name, Driver: info.DriverDescription}}
	// The binding's lost callback breaks cgo's pointer rules; a lost device shows when reading back.
	d.gpu, err = adapter.RequestDevice(nil)
	if err != nil {
		instance.Release()
		return nil, fmt.Errorf("%s: %w", info.Name, err)
	}
	d.lost = func() error { return nil }
	d.release = func() {
		d.queue.Release()
		d.gpu.Release()
		instance.Release()
	}
	return d, nil
}

func writeBuffer(q *wgpu.Queue, b *wgpu.Buffer, offset uint64, data []byte) error {
	return q.WriteBuffer(b, offset, data)
}

// read maps the staging buffer and copies size bytes out.
func (d *Device) read(ctx context.Context, size int64) ([]byte, error) {
	done := false
	var status wgpu.BufferMapAsyncStatus
	err := d.staging.MapAsync(wgpu.MapModeRead, 0, uint64(size), func(s wgpu.BufferMapAsyncStatus) {
		done, status = true, s
	})
	if err != nil {
		return nil, err
	}
	for !done { // Poll gives up after some seconds; the work is still under way then
		d.gpu.Poll(true, nil)
	}
	if status != wgpu.BufferMapAsyncStatusSuccess {
		return nil, fmt.Errorf("%w: reading back: %v", ErrLost, status)
	}
	out := bytes.Clone(d.staging.GetMappedRange(0, uint(size)))
	if err := d.staging.Unmap(); err != nil {
		return nil, err
	}
	return out, ctx.Err()
}
