package gpu

import (
	"context"
	"sync"

	"github.com/unmask-lm/unmask/gpu/device"
)

// Compiling the kernels takes longer than opening a model, so devices of closed engines are kept, with
// what was compiled on them, for the next.
var idle struct {
	sync.Mutex
	devices []*device.Device
}

// mostIdle is how many are kept.
const mostIdle = 2

func takeDevice(ctx context.Context) (*device.Device, error) {
	idle.Lock()
	defer idle.Unlock()
	for n := len(idle.devices) - 1; n >= 0; n-- {
		d := idle.devices[n]
		idle.devices = idle.devices[:n]
		if d.Err() == nil {
			return d, nil
		}
		d.Close()
	}
	return device.Open(ctx)
}

func giveDevice(d *device.Device) {
	idle.Lock()
	defer idle.Unlock()
	if d.Err() != nil || len(idle.devices) == mostIdle {
		d.Close()
		return
	}
	d.Reset()
	idle.devices = append(idle.devices, d)
}
