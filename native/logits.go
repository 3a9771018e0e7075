package main

import (
	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/protocol"
)

func logitsCommand() *cobra.Command {
	var s source
	c := &cobra.Command{
		Use:   "logits [--model DIR] [--engine E]",
		Short: `read {"context":[ids],"canvas":[ids]} a line, answer {"logits":[[…] a row]} a line`,
		Long: `Reads one request a line: context is whole blocks of clean ids, canvas at most one block of ids,
masks among them. Answers the head's raw output for each row of the canvas, the mask's own column
included.`,
		Example: `  echo '{"context":[],"canvas":[4095,4095,4095,4095]}' | unmask logits`,
		Args:    exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			_, engine, err := s.open(c.Context())
			if err != nil {
				return err
			}
			defer engine.Close()
			return eachLine(c.InOrStdin(), c.OutOrStdout(), func(q protocol.Logits) (*protocol.LogitsResult, error) {
				rows, err := runtime.LogitRows(c.Context(), engine, q.Context, q.Canvas)
				return &protocol.LogitsResult{Logits: rows}, err
			})
		},
	}
	s.flags(c)
	return c
}
