package gpu

import (
	"fmt"
	"strings"

	"github.com/unmask-lm/unmask/gpu/device"
	"github.com/unmask-lm/unmask/gpu/record"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/tensor"
)

// weight is a tensor on the device. A matrix larger than one binding lies in several buffers of whole
// rows, each but the last of the same number.
type weight struct {
	buffers []record.BufferID
	rows    int // of each buffer
}

// rowBytes is the size of a row on the device: padded to whole vec4s, which only models of an odd
// width need. A vector is one row.
func rowBytes(spec model.TensorSpec, dtype tensor.DType) int64 {
	if !spec.Matrix() {
		return int64(spec.Size() * dtype.Size())
	}
	return int64(pad(spec.Shape[1]) * dtype.Size())
}

// rowsOf is the number of rows of a tensor, and of each buffer that holds it within the limit of one
// binding; a multiple of step.
func rowsOf(spec model.TensorSpec, dtype tensor.DType, binding int64, step int) (rows, each int) {
	if !spec.Matrix() {
		return 1, 1
	}
	return spec.Shape[0], min(spec.Shape[0], max(step, int(binding/rowBytes(spec, dtype))/step*step))
}

// upload copies every weight to the device as it is stored.
func upload(d *device.Device, p *model.Pack, binding int64) (map[string]weight, error) {
	out := map[string]weight{}
	scales := norms(&p.Config)
	for _, spec := range p.Config.Tensors() {
		if vector, ok := scales[spec.Name]; ok {
			id, err := uploadNorm(d, p, spec.Name, vector)
			if err != nil {
				return nil, fmt.Errorf("tensor %q: %w", spec.Name, err)
			}
			out[spec.Name] = weight{[]record.BufferID{id}, 1}
			continue
		}
		step := 1
		if strings.HasSuffix(spec.Name, model.QKVWeight) {
			step = p.Config.HeadDim() // a rotation turns rows of one head
		}
		w, err := uploadTensor(d, p.Tensor(spec.Name), binding, step)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", spec.Name, err)
		}
		out[spec.Name] = w
	}
	return out, d.Err()
}

// norms lists the scales of norms with the shifts that go with them.
func norms(c *model.Config) map[string]string {
	out := map[string]string{model.FinalNormWeight: model.FinalNormBias}
	for i := range c.Layers {
		out[model.Layer(i, model.Norm1Weight)] = model.Layer(i, model.Norm1Bias)
		out[model.Layer(i, model.Norm2Weight)] = model.Layer(i, model.Norm2Bias)
	}
	return out
}

// uploadNorm makes one buffer (2, D) of scale and shift.
func uploadNorm(d *device.Device, p *model.Pack, scale, shift string) (record.BufferID, error) {
	var values []float32
	for _, name := range []string{scale, shift} {
		row := p.Tensor(name).Float32s()
		values = append(append(values, row...), make([]float32, pad(len(row))-len(row))...)
	}
	data := floatBytes(values)
	id, err := d.NewBuffer(scale, int64(len(data)), device.Storage)
	if err != nil {
		return 0, err
	}
	return id, d.Write(id, 0, data)
}

func uploadTensor(d *device.Device, t model.Tensor, binding int64, step int) (weight, error) {
	rows, each := rowsOf(t.TensorSpec, t.DType, binding, step)
	size := rowBytes(t.TensorSpec, t.DType)
	w := weight{rows: each}
	for first := 0; first < rows; first += each {
		id, err := d.NewBuffer(t.Name, int64(min(each, rows-first))*size, device.Storage)
		if err != nil {
			return w, err
		}
		w.buffers = append(w.buffers, id)
	}
	var at int64 // in all buffers together
	for _, part := range t.Parts {
		if t.Matrix() {
			part = padRows(part, t.Shape[1], t.DType.Size())
		}
		for len(part) > 0 {
			buffer, offset := at/(int64(each)*size), at%(int64(each)*size)
			n := min(int64(len(part)), int64(each)*size-offset, chunk)
			if err := d.Write(w.buffers[buffer], offset, part[:n]); err != nil {
				return w, err
			}
			at += n
			part = part[n:]
		}
	}
	return w, nil
}

// chunk bounds one write, so that the queue never has to stage a whole large tensor.
const chunk = 16 << 20

// padRows pads every row of width values to whole vec4s; most models need none and data comes back.
func padRows(data []byte, width, size int) []byte {
	if pad(width) == width {
		return data
	}
	rows := len(data) / (width * size)
	out := make([]byte, rows*pad(width)*size)
	for r := range rows {
		copy(out[r*pad(width)*size:], data[r*width*size:(r+1)*width*size])
	}
	return out
}
