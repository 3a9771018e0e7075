package loop_test

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/tools/convert/source"
	"github.com/unmask-lm/unmask/train/batch"
	"github.com/unmask-lm/unmask/train/checkpoint"
	"github.com/unmask-lm/unmask/train/loop"
	"github.com/unmask-lm/unmask/train/metrics"
	"github.com/unmask-lm/unmask/train/noise"
)

const vocab = 24 // ids 0 … 22 and the mask

func config(block int) model.HubConfig {
	return model.HubConfig{
		ModelType: model.HubModelType, VocabSize: vocab, HiddenDim: 16, CondDim: 4, Blocks: 2, Heads: 2, ModelLength: 16, BlockSize: block,
	}
}

func options() loop.Options {
	return loop.Options{
		Objective: loop.BD3LM, Masking: noise.Bernoulli, Interval: noise.Full, Batch: 4, Steps: 20, LR: 3e-3, Warmup: 3,
		Schedule: loop.Constant, Clip: 1, EMA: 0.99, Dropout: 0.1, Seed: 5,
		Accumulate: 1, Devices: 1, ValidEvery: 1000, ValidSequences: 8, SaveEvery: 1000, Keep: 3, LogEvery: 1000,
	}
}

func backend(t *testing.T) compute.Backend {
	t.Helper()
	b, err := gobackend.New("ops_sequential")
	require.NoError(t, err)
	t.Cleanup(b.Finalize)
	return b
}

// corpus is a text with something to learn: each token is mostly the one before plus three.
func corpus(t *testing.T, n int) *batch.Stream {
	t.Helper()
	rng := rand.New(rand.NewPCG(9, 9))
	tokens := make([]int32, n)
	for i := 1; i < n; i++ {
		if tokens[i] = (tokens[i-1] + 3) % (vocab - 1); rng.IntN(10) == 0 {
			tokens[i] = rng.Int32N(vocab - 1)
		}
	}
	s, err := batch.New(batch.Memory(tokens), 16, 5)
	require.NoError(t, err)
	return s
}

func newRun(t *testing.T, o loop.Options, block int) (*loop.Run, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	if o.Out == "" {
		o.Out = t.TempDir()
	}
	s := &checkpoint.State{Config: config(block)}
	s.Trainer.Mask, s.Trainer.Objective = vocab-1, string(o.Objective)
	loop.Start(s, o.Seed)
	require.NoError(t, o.Validate(&s.Config))
	return &loop.Run{
		Options: o, State: s, Train: corpus(t, 4000), Held: corpus(t, 300), Log: &log,
		Bytes: func(ids []int32) int64 { return int64(len(ids)) },
	}, &log
}

// Twenty steps in one go are ten, a checkpoint, and ten from it by another process: to the bit.
func TestResumeIsExact(t *testing.T) {
	b := backend(t)
	straight, _ := newRun(t, options(), 4)
	require.NoError(t, straight.Do(context.Background(), b))

	half := options()
	half.Steps, half.Out = 10, t.TempDir()
	first, _ := newRun(t, half, 4)
	require.NoError(t, first.Do(context.Background(), b))
	latest, err := checkpoint.Latest(half.Out)
	require.NoError(t, err)
	second, _ := newRun(t, options(), 4)
	second.State, err = checkpoint.Load(latest)
	require.NoError(t, err)
	require.Equal(t, 10, second.State.Trainer.Step)
	require.NoError(t, second.Do(context.Background(), backend(t)))

	require.Equal(t, straight.State.Weights, second.State.Weights)
	require.Equal(t, straight.State.EMA, second.State.EMA)
	require.Equal(t, straight.State.M, second.State.M)
	require.Equal(t, straight.State.V, second.State.V)
	require.EqualValues(t, 20*4*16, second.State.Trainer.Tokens)
}

// An interrupt saves what was done.
func TestInterruptSaves(t *testing.T) {
	o := options()
	o.Out = t.TempDir()
	r, log := newRun(t, o, 4)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, r.Do(ctx, backend(t)), context.Canceled)
	require.Contains(t, log.String(), "saving first")
	latest, err := checkpoint.Latest(o.Out)
	require.NoError(t, err)
	require.NotEmpty(t, latest)
}

// The first loss is ln(V-1): the head is zero and the mask has no probability. Training lowers it, for
// every objective and masking, with and without averaging.
func TestTrainingLearns(t *testing.T) {
	b := backend(t)
	for name, change := range map[string]func(o *loop.Options){
		"bernoulli":      func(*loop.Options) {},
		"count":          func(o *loop.Options) { o.Masking = noise.Count },
		"clipped":        func(o *loop.Options) { o.Interval = noise.Interval{Low: 0.5, High: 1} },
		"autoregressive": func(o *loop.Options) { o.Objective = loop.Autoregressive },
		"one block":      func(o *loop.Options) { o.Objective, o.Steps = loop.MDLM, 1500 },
		"square":         func(o *loop.Options) { o.Noise = noise.Square },
		"ignore bos":     func(o *loop.Options) { o.IgnoreBOS = true },
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			o.Out = t.TempDir()
			o.Steps, o.LR, o.Dropout, o.EMA, o.ValidEvery, o.Schedule = 150, 1e-2, 0, 0.9, 150, loop.Cosine
			change(&o)
			o.ValidEvery = o.Steps
			block := 4
			if o.Objective == loop.MDLM {
				block = 16
			}
			r, log := newRun(t, o, block)
			fresh, err := loop.NewEvaluator(b, &o, &r.State.Config, vocab-1, r.Bytes)
			require.NoError(t, err)
			before, err := fresh.Evaluate(context.Background(), r.State.Weights, r.Held, 8)
			require.NoError(t, err)
			start := math.Log(vocab - 1)
			if o.Objective == loop.Autoregressive {
				start = math.Log(vocab) // nothing is suppressed
			}
			require.InDelta(t, start, before.NELBO, 1e-4)
			require.NoError(t, r.Do(context.Background(), b))
			after := r.State.Trainer.HeldOut
			least := 0.3
			if o.Objective == loop.MDLM {
				least = 0.05 // the hardest to learn: nothing says which neighbour a token follows
			}
			require.Less(t, after.NELBO, start-least, log.String())
			require.Equal(t, o.Objective == loop.MDLM, after.StdErr > 0, "only large blocks are sampled")
			records, err := metrics.Read(o.Out)
			require.NoError(t, err)
			require.Contains(t, records, metrics.Record{Step: o.Steps, Kind: metrics.Validate, Values: map[string]float64{
				"nelbo": after.NELBO, "ppl": math.Exp(after.NELBO), "bits_per_byte": after.BitsByte, "std_err": after.StdErr,
			}})
			require.InDelta(t, after.NELBO/math.Ln2, after.BitsByte, 1e-9, "a token stands for one byte here")
			require.Contains(t, log.String(), "(best)")
			require.Contains(t, log.String(), "tok/s")
		})
	}
}

// The evaluation during training is the bound that the runtime computes with the converted weights.
func TestEvaluationEqualsRuntime(t *testing.T) {
	b := backend(t)
	for _, block := range []int{1, 2, 4} {
		o := options()
		o.Out = t.TempDir()
		o.Steps, o.ValidEvery, o.SaveEvery, o.Batch, o.ValidSequences = 30, 30, 30, 2, 2
		r, _ := newRun(t, o, block)
		require.NoError(t, r.Do(context.Background(), b))
		latest, err := checkpoint.Latest(o.Out)
		require.NoError(t, err)
		s, err := source.Open(latest)
		require.NoError(t, err)
		s.Config.Mask = vocab - 1
		p := model.NewPack(s.Config, "f32", func(spec model.TensorSpec) []float32 { return s.Float32s(spec.Name) })
		var nelbo float64
		for i := range 2 {
			var tokens []int
			sequence := make([]int32, 16)
			require.NoError(t, r.Held.Sequence(i*r.Held.Sequences()/2, sequence))
			for _, id := range sequence {
				tokens = append(tokens, int(id))
			}
			scored, err := runtime.Score(context.Background(), cpu.New(p), tokens, 0)
			require.NoError(t, err)
			nelbo += scored.NELBO() / 32
		}
		require.InDelta(t, r.State.Trainer.HeldOut.NELBO, nelbo, 1e-4, "block %d", block)
	}
}

// A loss that is no number stops training and leaves the checkpoints alone.
func TestNaNStops(t *testing.T) {
	o := options()
	o.Out = t.TempDir()
	r, _ := newRun(t, o, 4)
	r.State.Weights[0] = float32(math.NaN())
	for i := range r.State.Weights {
		r.State.Weights[i] = float32(math.NaN())
	}
	require.ErrorContains(t, r.Do(context.Background(), backend(t)), "loss is NaN")
	latest, err := checkpoint.Latest(o.Out)
	require.NoError(t, err)
	require.Empty(t, latest)
}

// A loss that rises stops training, says how far and from where, and keeps what was saved before.
func TestSpikeStops(t *testing.T) {
	o := options()
	o.Out, o.LR, o.Clip, o.Warmup, o.Steps, o.Spike, o.SaveEvery, o.Dropout = t.TempDir(), 3, 1e6, 0, 2000, 1.1, 20, 0
	r, _ := newRun(t, o, 4)
	err := r.Do(context.Background(), backend(t))
	require.ErrorContains(t, err, "times its lowest")
	require.ErrorContains(t, err, filepath.Join(o.Out, "step-"))
	require.NoFileExists(t, filepath.Join(o.Out, loop.DoneFile))
}

// A batch in rounds, or shared by devices, is the same step but for the order of sums; what is computed
// again in the backward pass, too.
func TestSameStepInParts(t *testing.T) {
	plugin, err := filepath.Abs("../../.cache/pjrt/pjrt_c_api_cpu_plugin.so")
	require.NoError(t, err)
	require.FileExists(t, plugin, "`make pjrt` fetches it")
	xla.EnableAutoInstall(false)
	devices, err := compute.NewWithConfig("xla:" + plugin)
	require.NoError(t, err)
	t.Cleanup(devices.Finalize)
	train := func(change func(o *loop.Options)) []float32 {
		o := options()
		o.Dropout, o.Out = 0, t.TempDir()
		o.Masking = noise.Count // as many rows in every step: one program is compiled
		change(&o)
		r, _ := newRun(t, o, 4)
		require.NoError(t, r.Do(context.Background(), devices))
		require.FileExists(t, filepath.Join(o.Out, loop.DoneFile))
		return r.State.Weights
	}
	want := train(func(*loop.Options) {})
	for name, change := range map[string]func(o *loop.Options){
		"two rounds":              func(o *loop.Options) { o.Accumulate = 2 },
		"two devices":             func(o *loop.Options) { o.Devices = 2 },
		"two rounds, two devices": func(o *loop.Options) { o.Accumulate, o.Devices = 2, 2 },
		"computed again":          func(o *loop.Options) { o.Remat = true },
	} {
		t.Run(name, func(t *testing.T) { require.InDeltaSlice(t, want, train(change), 2e-3) })
	}
	half := train(func(o *loop.Options) { o.BF16 = true })
	require.NotEqual(t, want, half)
	require.InDeltaSlice(t, want, half, 0.1)
}

func TestRates(t *testing.T) {
	o := options()
	o.Schedule, o.Steps, o.Warmup, o.LR = loop.WSD, 100, 10, 1
	require.InDelta(t, 0.5, o.Rate(4), 1e-9)
	require.InDelta(t, 1, o.Rate(79), 1e-9)
	require.InDelta(t, 0.5, o.Rate(90), 1e-9)
	require.InDelta(t, 0.05, o.Rate(99), 1e-9)
	o.Schedule = loop.Cosine
	require.InDelta(t, 0.1, o.Rate(100), 1e-9)
}

func TestOptionsRefuse(t *testing.T) {
	c := config(4)
	good := options()
	require.NoError(t, good.Validate(&c))
	for want, change := range map[string]func(o *loop.Options){
		"--objective": func(o *loop.Options) { o.Objective = "gan" },
		"--schedule":  func(o *loop.Options) { o.Schedule = "linear" },
		"one block":   func(o *loop.Options) { o.Objective = loop.MDLM },
		"shared":      func(o *loop.Options) { o.Accumulate = 3 },
		"noise":       func(o *loop.Options) { o.Noise = "pink" },
		"--fix":       func(o *loop.Options) { o.FixClipping = true },
		"--batch":     func(o *loop.Options) { o.Batch = 0 },
		"--lr":        func(o *loop.Options) { o.LR = math.NaN() },
		"--dropout":   func(o *loop.Options) { o.Dropout = 1 },
		"--steps":     func(o *loop.Options) { o.Steps = -1 },
		"--clip":      func(o *loop.Options) { o.Clip = 0 },
		"interval":    func(o *loop.Options) { o.Interval.Low = 2 },
	} {
		o := options()
		change(&o)
		require.ErrorContains(t, o.Validate(&c), want)
	}
	c.BlockSize = 5
	require.ErrorContains(t, good.Validate(&c), "--length")
}

// The schedule search keeps an interval of the grid that makes the loss vary no more than the full one,
// training goes on with it, and so does a resumed run.
func TestClipSearch(t *testing.T) {
	b := backend(t)
	o := options()
	o.ClipSearch, o.ValidEvery, o.SaveEvery, o.Steps, o.Out = true, 10, 10, 20, t.TempDir()
	straight, log := newRun(t, o, 4)
	require.NoError(t, straight.Do(context.Background(), b))
	require.Contains(t, log.String(), "noise levels from")
	chosen := straight.State.Trainer.Interval
	require.NotNil(t, chosen)
	require.Contains(t, noise.Grid([]float64{0.5, 0.6, 0.7, 0.8, 0.9}), noise.Interval{Low: chosen[0], High: chosen[1]})
	require.NotEqual(t, noise.Full.Low, chosen[0], "low noise varies most for small blocks")

	half := o
	half.Steps, half.Out = 10, t.TempDir()
	first, _ := newRun(t, half, 4)
	require.NoError(t, first.Do(context.Background(), b))
	latest, err := checkpoint.Latest(half.Out)
	require.NoError(t, err)
	second, _ := newRun(t, o, 4)
	second.State, err = checkpoint.Load(latest)
	require.NoError(t, err)
	require.NoError(t, second.Do(context.Background(), b))
	require.Equal(t, straight.State.Weights, second.State.Weights)
}
