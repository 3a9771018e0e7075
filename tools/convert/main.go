// Command convert turns a checkpoint into a pack.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/atomicdir"
	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/tools/convert/pack"
	"github.com/unmask-lm/unmask/tools/convert/source"
)

// errUsage marks a mistake in how the command was called.
var errUsage = errors.New("bad use")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	c := command()
	if err := c.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "convert: error: %v\n", err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

type options struct {
	in, out, quant, tokenizer string
	block                     int
	temperature, topP         float64
	force                     bool
}

func command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "convert --in DIR --out DIR",
		Short: "turn a BD3-LM checkpoint into a pack",
		Long: `Turns a checkpoint into a pack: a Hub folder such as kuleshov-group/bd3lm-owt (config.json,
model.safetensors, tokenizer.json), or a checkpoint of train. Every parameter must be there with its
shape, and nothing else; adaLN modulation is folded away. The pack is written beside --out, verified
by reading it back, and renamed into place.

Exit status: 0 done, 1 failure (nothing was written), 2 bad use.`,
		Example:       "  convert --in runs/small/best --out models/small --quant f16",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errors.Join(errUsage, err) })
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.in, "in", "", "folder of the checkpoint")
	f.StringVar(&o.out, "out", "", "folder of the pack; must not exist, or be empty")
	f.StringVar(&o.quant, "quant", "f32", "storage of weight matrices: f32 or f16")
	f.IntVar(&o.block, "block-size", 0, "block size, in place of the checkpoint's")
	f.StringVar(&o.tokenizer, "tokenizer", "", "tokenizer.json, in place of the checkpoint's")
	f.Float64Var(&o.temperature, "temperature", 1, "default sampling temperature of the pack")
	f.Float64Var(&o.topP, "top-p", 0.9, "default nucleus of the pack")
	f.BoolVar(&o.force, "force", false, "replace --out if it exists")
	return c
}

func (o *options) run(ctx context.Context) error {
	if o.in == "" || o.out == "" {
		return fmt.Errorf("%w: --in and --out are required", errUsage)
	}
	if o.quant != "f32" && o.quant != "f16" {
		return fmt.Errorf("%w: --quant is %q, expected f32 or f16", errUsage, o.quant)
	}
	if err := (&draw.Options{Temperature: float32(o.temperature), TopP: float32(o.topP)}).Validate(); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	s, err := source.Open(o.in)
	if err != nil {
		return err
	}
	if o.tokenizer != "" {
		if s.Tokenizer, err = os.ReadFile(o.tokenizer); err != nil {
			return err
		}
	}
	if err := checkTokenizer(s); err != nil {
		return err
	}
	if o.block != 0 {
		s.Config.Block = o.block
	}
	if err := s.Config.Validate(); err != nil {
		return err
	}
	if err := checkRange(s, o.quant); err != nil {
		return err
	}
	existing := atomicdir.Refuse
	if o.force {
		existing = atomicdir.Replace
	}
	m := &pack.Model{Config: s.Config, Tensors: s, Tokenizer: s.Tokenizer, Manifest: o.manifest(s)}
	if err := pack.Write(ctx, o.out, m, existing); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "wrote %s: %.2f M parameters, %s, block size %d\n", o.out, float64(s.Config.Params())/1e6, o.quant, s.Config.Block)
	return nil
}

// entropyStopVocab is the vocabulary from which the paper's low-entropy stop at 4 nats makes sense:
// 256 tokens of ordinary text then have clearly more.
const entropyStopVocab = 16384

func (o *options) manifest(s *source.Source) model.Manifest {
	m := model.Manifest{Quantization: o.quant, BOS: s.BOS, EOS: s.EOS, Provenance: s.Provenance}
	m.Sampling = model.Sampling{Policy: "first-hitting", Temperature: o.temperature, TopP: o.topP, MaxTokens: 128}
	if s.Config.Vocab >= entropyStopVocab {
		m.Sampling.EntropyStop = 4
	}
	return m
}

// checkRange refuses weights that are not finite or that f16 cannot hold.
func checkRange(s *source.Source, quant string) error {
	limit := math.MaxFloat32
	if quant == "f16" {
		limit = 65504
	}
	for _, spec := range s.Config.Tensors() {
		for i, v := range s.Float32s(spec.Name) {
			bound := limit
			if !spec.Matrix() {
				bound = math.MaxFloat32
			}
			if !(math.Abs(float64(v)) <= bound) {
				return fmt.Errorf("tensor %q: value %d is %v, %s holds at most %v", spec.Name, i, v, quant, bound)
			}
		}
	}
	return nil
}
