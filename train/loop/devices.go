package loop

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// devices runs one program on several devices of the machine at once (GoMLX's SPMD), each on its own
// arguments.
type devices struct {
	backend compute.Backend
	exec    *Exec
	n       int
}

func newDevices(backend compute.Backend, n int, program func(in []*Node) []*Node) (*devices, error) {
	exec, err := NewExec(backend, program)
	if err != nil {
		return nil, err
	}
	if n > 1 {
		mesh, err := distributed.NewDeviceMesh([]int{n}, []string{"data"})
		if err != nil {
			return nil, err
		}
		exec = exec.SPMD(mesh)
	}
	return &devices{backend, exec, n}, nil
}

// call runs the program with the arguments of each device and returns the results of each.
func (x *devices) call(arguments func(device int) []any) ([][]*tensors.Tensor, error) {
	var all []any
	for d := range x.n {
		for _, a := range arguments(d) {
			if g, ok := a.(given); ok {
				if err := g.tensor.MaterializeOnDevice(x.backend, false, compute.DeviceNum(d)); err != nil {
					return nil, err
				}
				donated, err := DonateTensorBuffer(g.tensor, x.backend, compute.DeviceNum(d))
				if err != nil {
					return nil, err
				}
				a = donated
			}
			all = append(all, a)
		}
	}
	flat, err := x.exec.Call(all...)
	if err != nil {
		return nil, err
	}
	each := len(flat) / x.n
	out := make([][]*tensors.Tensor, x.n)
	for d := range out {
		out[d] = flat[d*each : (d+1)*each]
	}
	return out, nil
}

// sumOverDevices adds up x, the same on all of them then.
func sumOverDevices(x *Node, n int) *Node {
	if n == 1 {
		return x
	}
	return x.Graph().Distributed().AllReduceOne(x, compute.ReduceOpSum)
}

// replicated is a flat tensor of which each device has its own.
type replicated struct{ on []*tensors.Tensor }

func replicate(values []float32, n int) *replicated {
	r := &replicated{make([]*tensors.Tensor, n)}
	for d := range r.on {
		r.on[d] = tensors.FromFlatDataAndDimensions(values, len(values))
	}
	return r
}

// given is an argument whose memory the results may take.
type given struct{ tensor *tensors.Tensor }

func (r *replicated) keep(d int) *tensors.Tensor { return r.on[d] }

func (r *replicated) give(d int) given { return given{r.on[d]} }

// take replaces it by result number i.
func (r *replicated) take(out [][]*tensors.Tensor, i int) {
	for d := range r.on {
		r.on[d] = out[d][i]
	}
}
