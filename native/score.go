package main

import (
	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/runtime/protocol"
)

func scoreCommand() *cobra.Command {
	var s source
	var seed uint64
	c := &cobra.Command{
		Use:   "score [--model DIR] [--engine E]",
		Short: `read {"tokens":[ids]} or {"text":"…"} a line, answer the bound on its likelihood a line`,
		Long: `Reads one request a line and answers {"nelbo":nats,"tokens":n,"ppl":x,"per_token":[…],"exact":true}.
nelbo bounds the negative log-likelihood of all tokens together; ppl is exp(nelbo/tokens). It is exact
for block sizes up to 8, and estimated, with std_err, for larger ones.`,
		Example: `  echo '{"text":"It was a fine morning."}' | unmask score`,
		Args:    exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			session, err := s.session(c.Context())
			if err != nil {
				return err
			}
			defer session.Engine.Close()
			return eachLine(c.InOrStdin(), c.OutOrStdout(), func(q protocol.Score) (*protocol.ScoreResult, error) {
				return session.Score(c.Context(), q, seed)
			})
		},
	}
	s.flags(c)
	c.Flags().Uint64Var(&seed, "seed", 0, "seed of the estimate, where it is not exact")
	return c
}
