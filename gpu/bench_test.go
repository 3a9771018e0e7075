package gpu_test

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/gpu/device"
	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/gpu/shaders"
)

// bench is a device on which a test runs single kernels.
type bench struct {
	t testing.TB
	d *device.Device
}

func openBench(t testing.TB) bench {
	t.Helper()
	d, err := device.Open(context.Background())
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return bench{t, d}
}

// uniform and buffer upload a value: a struct or numbers of four bytes.
func (b bench) uniform(value any) record.BufferID { return b.upload(value, device.Uniform) }
func (b bench) buffer(value any) record.BufferID  { return b.upload(value, device.Storage) }

func (b bench) upload(value any, usage device.Usage) record.BufferID {
	b.t.Helper()
	data, ok := value.([]byte)
	if !ok {
		data = gpu.Encode(value)
	}
	size := len(data)
	if usage == device.Uniform {
		size = max(size, device.SlotSize) // a pass is bound with that size
	}
	id, err := b.d.NewBuffer(b.t.Name(), int64(size), usage)
	require.NoError(b.t, err)
	require.NoError(b.t, b.d.Write(id, 0, data))
	return id
}

// run dispatches one kernel and reads n floats of out.
func (b bench) run(kernel shaders.Kernel, groups [3]uint32, out record.BufferID, n int, bindings ...record.BufferID) []float32 {
	b.t.Helper()
	require.NoError(b.t, b.d.Compile(context.Background(), []shaders.Kernel{kernel}))
	r := &record.Recording{}
	r.Add(record.Command{Kernel: kernel.Name, Label: kernel.Name, Groups: groups, Bindings: bindings})
	data, err := b.d.Run(context.Background(), r, out, int64(4*n))
	require.NoError(b.t, err)
	return floats(data)
}

// read reads n floats of a buffer.
func (b bench) read(id record.BufferID, n int) []float32 {
	b.t.Helper()
	data, err := b.d.Run(context.Background(), &record.Recording{}, id, int64(4*n))
	require.NoError(b.t, err)
	return floats(data)
}

func floats(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

// normal draws n numbers.
func normal(rng *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return out
}

// padded lays rows of width out with the stride of the device.
func padded(x []float32, width int) []float32 {
	return floats(gpu.PadRows(gpu.Encode(x), width, 4))
}

// unpadded takes the padding out again.
func unpadded(x []float32, width int) []float32 {
	var out []float32
	for at := 0; at < len(x); at += gpu.Pad(width) {
		out = append(out, x[at:at+width]...)
	}
	return out
}
