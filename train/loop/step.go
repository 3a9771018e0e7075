package loop

import (
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/train/network"
	"github.com/unmask-lm/unmask/train/noise"
	"github.com/unmask-lm/unmask/train/objective"
)

// AdamW's constants (paper, appendix C).
const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-8
)

// stepper holds the state of training on the device and advances it.
type stepper struct {
	backend compute.Backend
	exec    *Exec
	state   [4]*tensors.Tensor // weights, EMA, m, v; each flat (P)
	noiser  noise.Noiser
	o       *Options
	length  int
	x0, xt  []int32
	weight  []float32
}

func newStepper(backend compute.Backend, o *Options, c *model.HubConfig, mask int, state [4][]float32) (*stepper, error) {
	layout := network.NewLayout(c)
	s := &stepper{backend: backend, o: o, noiser: o.noiser(c, mask), length: c.ModelLength}
	for i, values := range state {
		s.state[i] = tensors.FromFlatDataAndDimensions(values, len(values))
	}
	size := o.Batch * c.ModelLength
	s.x0, s.xt, s.weight = make([]int32, size), make([]int32, size), make([]float32, size)
	loss := func(p network.Params, rng, x0, xt, weight *Node) *Node {
		net := network.New(c, p, c.ModelLength, o.Dropout, rng)
		if o.Objective == Autoregressive {
			return objective.Autoregressive(net, x0)
		}
		return objective.Diffusion(net, x0, xt, weight, c.BlockSize, mask)
	}
	var err error
	s.exec, err = NewExec(backend, func(in []*Node) []*Node {
		weights, ema, m, v := in[0], in[1], in[2], in[3]
		params := layout.Split(weights)
		l := ReduceAllMean(loss(params, in[5], in[6], in[7], in[8]))
		grad := layout.Join(Gradient(l, params.Ordered...))
		return append(update(o, weights, ema, m, v, grad, in[4]), l, L2Norm(grad))
	})
	return s, err
}

// update is one step of AdamW after clipping the gradient's global norm, and of the moving average.
// scalars are the learning rate, the bias corrections 1-β₁ᵗ and 1-β₂ᵗ, and the average's decay.
func update(o *Options, weights, ema, m, v, grad, scalars *Node) []*Node {
	at := func(i int) *Node { return Reshape(Slice(scalars, AxisElem(i)), 1) }
	norm := Reshape(L2Norm(grad), 1)
	grad = Mul(grad, MinScalar(Div(Scalar(grad.Graph(), grad.DType(), o.Clip), AddScalar(norm, 1e-6)), 1))
	m = Add(MulScalar(m, beta1), MulScalar(grad, 1-beta1))
	v = Add(MulScalar(v, beta2), MulScalar(Square(grad), 1-beta2))
	direction := Div(Div(m, at(1)), AddScalar(Sqrt(Div(v, at(2))), epsilon))
	direction = Add(direction, MulScalar(weights, o.Decay))
	weights = Sub(weights, Mul(direction, at(0)))
	ema = Add(Mul(ema, at(3)), Mul(weights, OneMinus(at(3))))
	return []*Node{weights, ema, m, v}
}

// run does optimiser step number step (from 0) on batch x0 and returns its loss and gradient norm.
// Everything random derives from the seed and the step.
func (s *stepper) run(step int) (loss, norm float64, err error) {
	rng := rand.New(rand.NewPCG(s.o.Seed, uint64(step)))
	s.noiser.Apply(rng, s.x0, s.xt, s.weight)
	state, err := RNGStateFromSeed(int64(rng.Uint64() >> 1))
	if err != nil {
		return 0, 0, err
	}
	t := float64(step + 1)
	scalars := []float32{
		float32(s.o.rate(step)), float32(1 - math.Pow(beta1, t)), float32(1 - math.Pow(beta2, t)), float32(s.o.averaging(step)),
	}
	var args []any
	for _, flat := range s.state {
		donated, err := donate(flat, s.backend)
		if err != nil {
			return 0, 0, err
		}
		args = append(args, donated)
	}
	args = append(args, scalars, state)
	args = append(args, s.batch(s.x0), s.batch(s.xt), tensors.FromFlatDataAndDimensions(s.weight, s.o.Batch, s.length))
	out, err := s.exec.Call(args...)
	if err != nil {
		return 0, 0, err
	}
	copy(s.state[:], out[:4])
	return float64(tensors.ToScalar[float32](out[4])), float64(tensors.ToScalar[float32](out[5])), nil
}

func (s *stepper) batch(ids []int32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(ids, s.o.Batch, s.length)
}

// donate lets the step write its results where the old state was.
func donate(t *tensors.Tensor, backend compute.Backend) (any, error) {
	if err := t.MaterializeOnDevice(backend, false, 0); err != nil {
		return nil, err
	}
	return DonateTensorBuffer(t, backend, 0)
}

// read copies the state back to the host: weights, EMA, m, v.
func (s *stepper) read() (out [4][]float32, err error) {
	for i, t := range s.state {
		if out[i], err = tensors.CopyFlatData[float32](t); err != nil {
			return out, err
		}
	}
	return out, nil
}
