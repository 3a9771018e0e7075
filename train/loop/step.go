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

// stepper holds the state of training on the devices and advances it. A step's batch is cut into
// pieces of sequences; each device takes one at a time, and gradients are summed first over what a
// device took, then over devices.
type stepper struct {
	gradient *devices // weights, sum, rng, x0, xt, rows, weight → sum + gradient, loss
	apply    *devices // weights, EMA, m, v, sum, scalars → weights, EMA, m, v, norm
	state    [4]*replicated
	params   int
	noiser   noise.Noiser
	o        *Options
	length   int
	x0, xt   []int32
	weight   []float32
}

func newStepper(backend compute.Backend, o *Options, c *model.HubConfig, mask int, state [4][]float32) (*stepper, error) {
	layout := network.NewLayout(c)
	s := &stepper{o: o, noiser: o.noiser(c, mask), length: c.ModelLength, params: layout.Size}
	for i, values := range state {
		s.state[i] = replicate(values, o.Devices)
	}
	size := o.Batch * c.ModelLength
	s.x0, s.xt, s.weight = make([]int32, size), make([]int32, size), make([]float32, size)
	var err error
	s.gradient, err = newDevices(backend, o.Devices, func(in []*Node) []*Node {
		weights, sum, rng := in[0], in[1], in[2]
		params := layout.Split(weights)
		net := network.New(c, params, c.ModelLength, o.network(), o.Dropout, rng)
		tokens := size
		var losses *Node
		if o.Objective == Autoregressive {
			losses, tokens = objective.Autoregressive(net, in[3]), o.Batch*(c.ModelLength-1)
		} else {
			losses = objective.Diffusion(net, in[3], in[4], in[5], in[6], c.BlockSize, mask)
		}
		loss := DivScalar(ReduceAllSum(losses), float64(tokens))
		return []*Node{Add(sum, layout.Join(Gradient(loss, params.Ordered...))), loss}
	})
	if err != nil {
		return nil, err
	}
	s.apply, err = newDevices(backend, o.Devices, func(in []*Node) []*Node {
		return update(o, in[0], in[1], in[2], in[3], sumOverDevices(in[4], o.Devices), in[5])
	})
	return s, err
}

// update is one step of AdamW after clipping the gradient's global norm, and of the moving average; it
// returns them and the norm. scalars are the learning rate, the bias corrections 1-β₁ᵗ and 1-β₂ᵗ, and
// the average's decay.
func update(o *Options, weights, ema, m, v, grad, scalars *Node) []*Node {
	at := func(i int) *Node { return Reshape(Slice(scalars, AxisElem(i)), 1) }
	norm := L2Norm(grad)
	grad = Mul(grad, MinScalar(Div(Scalar(grad.Graph(), grad.DType(), o.Clip), AddScalar(Reshape(norm, 1), 1e-6)), 1))
	m = Add(MulScalar(m, beta1), MulScalar(grad, 1-beta1))
	v = Add(MulScalar(v, beta2), MulScalar(Square(grad), 1-beta2))
	direction := Div(Div(m, at(1)), AddScalar(Sqrt(Div(v, at(2))), epsilon))
	direction = Add(direction, MulScalar(weights, o.Decay))
	weights = Sub(weights, Mul(direction, at(0)))
	ema = Add(Mul(ema, at(3)), Mul(weights, OneMinus(at(3))))
	return []*Node{weights, ema, m, v, norm}
}

// run does optimiser step number step (from 0) on batch x0 and returns its loss and gradient norm.
// Everything random derives from the seed and the step.
func (s *stepper) run(step int) (loss, norm float64, err error) {
	rng := rand.New(rand.NewPCG(s.o.Seed, uint64(step)))
	s.noiser.Apply(rng, s.x0, s.xt, s.weight)
	pieces := s.pieces()
	sum := replicate(make([]float32, s.params), s.o.Devices)
	for round := range s.o.Accumulate {
		mine := pieces[round*s.o.Devices:][:s.o.Devices]
		states := make([]*tensors.Tensor, s.o.Devices)
		for d := range states {
			if states[d], err = RNGStateFromSeed(int64(rng.Uint64() >> 1)); err != nil {
				return 0, 0, err
			}
		}
		out, err := s.gradient.call(func(d int) []any {
			p := mine[d]
			return []any{s.state[0].keep(d), sum.give(d), states[d], s.batch(p.x0), s.batch(p.xt), p.rows, p.weight}
		})
		if err != nil {
			return 0, 0, err
		}
		sum.take(out, 0)
		for d := range s.o.Devices {
			loss += float64(tensors.ToScalar[float32](out[d][1]))
		}
	}
	t := float64(step + 1)
	scalars := []float32{
		float32(s.o.Rate(step)), float32(1 - math.Pow(beta1, t)), float32(1 - math.Pow(beta2, t)), float32(s.o.averaging(step)),
	}
	out, err := s.apply.call(func(d int) []any {
		return []any{s.state[0].give(d), s.state[1].give(d), s.state[2].give(d), s.state[3].give(d), sum.give(d), scalars}
	})
	if err != nil {
		return 0, 0, err
	}
	for i := range s.state {
		s.state[i].take(out, i)
	}
	return loss, float64(tensors.ToScalar[float32](out[0][4])), nil
}

// piece is what one device works on at a time.
type piece struct {
	x0, xt, rows []int32
	weight       []float32
}

// pieces deals the batch's sequences out in turn, since noise levels rise along the batch. All have as
// many rows, those of the piece that has most.
func (s *stepper) pieces() []piece {
	n := s.o.Accumulate * s.o.Devices
	out := make([]piece, n)
	most := 0
	for i := range out {
		p := &out[i]
		var weight []float32
		for seq := i; seq < s.o.Batch; seq += n {
			from, to := seq*s.length, (seq+1)*s.length
			p.x0, p.xt, weight = append(p.x0, s.x0[from:to]...), append(p.xt, s.xt[from:to]...), append(weight, s.weight[from:to]...)
		}
		p.rows, p.weight = noise.Rows(weight, func(count int) int { return rowsFor(count, len(weight)) })
		most = max(most, len(p.rows))
	}
	for i := range out {
		pad := most - len(out[i].rows)
		out[i].rows = append(out[i].rows, make([]int32, pad)...)
		out[i].weight = append(out[i].weight, make([]float32, pad)...)
	}
	return out
}

// rowsFor rounds a number of masked tokens up to a sixteenth of all, so that few shapes are compiled.
func rowsFor(count, tokens int) int {
	unit := max(1, tokens/16)
	return max(1, (count+unit-1)/unit) * unit
}

func (s *stepper) batch(ids []int32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(ids, len(ids)/s.length, s.length)
}

// read copies the state back to the host: weights, EMA, m, v.
func (s *stepper) read() (out [4][]float32, err error) {
	for i, r := range s.state {
		if out[i], err = tensors.CopyFlatData[float32](r.keep(0)); err != nil {
			return out, err
		}
	}
	return out, nil
}
