package main

import (
	"context"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/cpu/simd"
	"github.com/unmask-lm/unmask/cpu/simd/kernels"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime/bench"
)

// benchmark holds the options of `unmask bench`.
type benchmark struct {
	shapes, engines []string
	quick           bool
	source          source
}

// longestContext is where the cache counts most.
const longestContext = 1008

func benchCommand() *cobra.Command {
	b := &benchmark{}
	c := &cobra.Command{
		Use:   "bench",
		Short: "time denoising passes on this machine, as JSON lines",
		Long: `Times denoising passes of models with random weights: three shapes, canvases of 4, 16 and 32 rows,
contexts of up to 1008 tokens, on each engine. Each line is a measurement, with the fraction of this
machine's own plain matmul rate and memory bandwidth, measured in the same run.`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error { return b.run(c.Context()) },
	}
	var names []string
	for _, s := range bench.Shapes {
		names = append(names, s.Name)
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringSliceVar(&b.shapes, "shapes", names, "shapes of models")
	f.StringSliceVar(&b.engines, "engines", []string{"cpu", "gpu"}, "cpu, gpu")
	f.BoolVar(&b.quick, "quick", false, "only 4 rows behind 256 tokens")
	f.StringVar(&b.source.tile, "tile", "", "tile of the GPU's matmuls (default: measured)")
	return c
}

func (b *benchmark) run(ctx context.Context) error {
	for _, name := range b.shapes {
		if !slices.ContainsFunc(bench.Shapes, func(s bench.Shape) bool { return s.Name == name }) {
			return usage("--shapes: no shape %q", name)
		}
	}
	for _, name := range b.engines {
		if name != "cpu" && name != "gpu" {
			return usage("--engines is %q, expected cpu and gpu", strings.Join(b.engines, ","))
		}
	}
	for _, s := range bench.Shapes {
		if !slices.Contains(b.shapes, s.Name) {
			continue
		}
		for _, group := range bench.Groups(bench.Cases(s, b.quick)) {
			p := s.Pack(group[0].Rows, group[0].Weights)
			for _, name := range b.engines {
				measure := b.cpu
				if name == "gpu" {
					measure = b.gpu
				}
				if err := measure(ctx, p, group); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			goruntime.GC() // before the next model, which may be large
		}
	}
	return nil
}

// cpu measures one thread and two, where there are two.
func (b *benchmark) cpu(ctx context.Context, p *model.Pack, cases []bench.Case) error {
	for _, threads := range slices.Compact([]int{1, min(2, goruntime.NumCPU())}) {
		flops, bytes := simd.Peak(threads)
		e := simd.New(p, threads)
		err := bench.Each(ctx, e, cases, bench.Limits{FLOPs: flops, Bytes: bytes}, func(r *bench.Result) (err error) {
			r.Engine, r.Adapter, r.Threads = "cpu native", kernels.Level(), threads
			if r.Context == longestContext && r.Rows == 4 {
				if r.RerunMS, err = bench.Rerun(ctx, e, r.Case); err != nil {
					return err
				}
			}
			return writeLine(os.Stdout, r)
		})
		if err != nil {
			return err
		}
		if err := e.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (b *benchmark) gpu(ctx context.Context, p *model.Pack, cases []bench.Case) error {
	e, err := b.source.openGPU(ctx, p)
	if err != nil {
		return err
	}
	defer e.Close()
	peak, err := e.Peak(ctx)
	if err != nil {
		return err
	}
	return bench.Each(ctx, e, cases, bench.Limits{FLOPs: peak.FLOPs, Bytes: peak.Bytes}, func(r *bench.Result) error {
		cost, err := e.Cost()
		if err != nil {
			return err
		}
		r.Engine, r.Adapter, r.Dispatches, r.BytesBack = "gpu native", e.Info().Name, cost.Dispatches, cost.Back
		return writeLine(os.Stdout, r)
	})
}
