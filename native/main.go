// Command unmask runs block-diffusion language models on this machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// errUsage marks a mistake in how the command was called.
var errUsage = errors.New("bad use")

func usage(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUsage, fmt.Errorf(format, args...))
}

const long = `Runs block-diffusion language models (BD3-LM) on this machine. Results go to standard output,
everything else to standard error.

Exit status: 0 done, 1 failure, 2 bad use.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{Use: "unmask", Short: "run block-diffusion language models", Long: long, SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(generateCommand(), scoreCommand(), logitsCommand(), tokenizeCommand(), infoCommand(), verifyCommand(), benchCommand())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%w", err) })
	if cmd, err := root.ExecuteContextC(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "%s: error: %v\n", cmd.CommandPath(), err)
		if errors.Is(err, errUsage) || cmd == root {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

// exactly is cobra's argument check, as a usage error.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("expected %s, got %d arguments", what, len(args))
		}
		return nil
	}
}
