package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/runtime/policy"
	"github.com/unmask-lm/unmask/runtime/protocol"
)

// generation holds the options of `unmask generate` as given.
type generation struct {
	source
	protocol.Generate
	maxTokens, topK                int
	temperature, topP, entropyStop float64
	asJSON, trace                  bool
}

func generateCommand() *cobra.Command {
	g := &generation{}
	c := &cobra.Command{
		Use:   "generate [--model DIR] [--prompt TEXT]",
		Short: "write text, unmasking it block by block",
		Long: `Writes text that continues a prompt. Options left out take the model's defaults. The same model,
options and seed give the same text on every engine.

Policies, which choose the masks to reveal after each pass:
` + policy.Help() + `
With --json each event is a line: reveal, block, and done last.`,
		Example: `  unmask generate --prompt "It was a fine morning" --seed 7
  unmask generate --prompt - --policy confidence:0.8 --json < beginning.txt`,
		Args: exactly(0, "no arguments; a prompt is given with --prompt"),
		RunE: func(c *cobra.Command, _ []string) error { return g.run(c) },
	}
	g.source.flags(c)
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&g.Prompt, "prompt", "", "text to continue; - reads standard input")
	f.IntVar(&g.maxTokens, "max-tokens", 0, "tokens to write at most")
	f.StringVar(&g.Policy, "policy", "", policy.Usage())
	f.Uint64Var(&g.Seed, "seed", 0, "seed of everything random")
	f.Float64Var(&g.temperature, "temperature", 0, "0 takes the most probable token")
	f.Float64Var(&g.topP, "top-p", 0, "nucleus: cumulative probability kept, the crossing token left out")
	f.IntVar(&g.topK, "top-k", 0, "most probable tokens kept; 0 keeps all")
	f.Float64Var(&g.entropyStop, "entropy-stop", 0, "stop when 256 tokens have less entropy, in nats; 0: never")
	f.BoolVar(&g.asJSON, "json", false, "print events as JSON lines")
	f.BoolVar(&g.trace, "trace", false, "afterwards print a table of one pass, dispatch by dispatch, on standard error; needs --engine gpu")
	return c
}

func (g *generation) run(c *cobra.Command) error {
	if err := g.check(c); err != nil {
		return err
	}
	s, err := g.session(c.Context())
	if err != nil {
		return err
	}
	defer s.Engine.Close()
	out := c.OutOrStdout()
	err = s.Generate(c.Context(), g.Generate, func(event any) error {
		if g.asJSON {
			if _, ok := event.(protocol.Canvas); ok { // for displays; the command line's contract has none
				return nil
			}
			return writeLine(out, event)
		}
		return printEvent(out, g.Prompt, event)
	})
	if err != nil || !g.trace {
		return err
	}
	return s.Engine.(*gpu.Engine).Trace(c.Context(), os.Stderr)
}

// check settles which options were given and refuses those that make no sense.
func (g *generation) check(c *cobra.Command) error {
	given := c.Flags().Changed
	if given("max-tokens") {
		if g.MaxTokens = &g.maxTokens; g.maxTokens < 1 {
			return usage("--max-tokens is %d, expected 1 or more", g.maxTokens)
		}
	}
	if given("temperature") {
		if g.Temperature = &g.temperature; !(g.temperature >= 0 && g.temperature <= 100) {
			return usage("--temperature is %v, expected 0 to 100", g.temperature)
		}
	}
	if given("top-p") {
		if g.TopP = &g.topP; !(g.topP > 0 && g.topP <= 1) {
			return usage("--top-p is %v, expected more than 0 and at most 1", g.topP)
		}
	}
	if given("top-k") {
		if g.TopK = &g.topK; g.topK < 0 {
			return usage("--top-k is %d, expected 0 or more", g.topK)
		}
	}
	if given("entropy-stop") {
		g.EntropyStop = &g.entropyStop
	}
	if g.Policy != "" {
		if _, err := policy.Parse(g.Policy); err != nil {
			return usage("--policy: %w", err)
		}
	}
	if g.trace && g.engine != "gpu" {
		return usage("--trace needs --engine gpu, got %q", g.engine)
	}
	if g.Prompt != "-" {
		return nil
	}
	text, err := io.ReadAll(c.InOrStdin())
	if err != nil {
		return errors.Join(errors.New("--prompt -"), err)
	}
	g.Prompt = strings.TrimSuffix(string(text), "\n")
	return nil
}

// printEvent prints text as its blocks finish, and how it went on standard error.
func printEvent(out io.Writer, prompt string, event any) error {
	switch e := event.(type) {
	case protocol.Canvas:
		if e.Block == 0 {
			fmt.Fprint(out, prompt)
		}
	case protocol.Block:
		fmt.Fprint(out, e.Text)
	case protocol.Done:
		fmt.Fprintln(out)
		fmt.Fprintf(os.Stderr, "%d tokens, %d passes, %.2f s, %.1f tokens/s (%s)\n",
			len(e.Tokens), e.Passes, e.Seconds, float64(len(e.Tokens))/e.Seconds, e.Reason)
	}
	return nil
}
