package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/model"
)

// info is what `unmask info` prints.
type info struct {
	Config   model.Config   `json:"config"`
	Params   int            `json:"params"`
	Bytes    int64          `json:"bytes"` // of weights
	Manifest model.Manifest `json:"manifest"`
}

func infoCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "info DIR",
		Short:   "print what a pack holds, as JSON",
		Example: "  unmask info models/starter",
		Args:    exactly(1, "the folder of a pack"),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := openDir(c.Context(), args[0])
			if err != nil {
				return err
			}
			return writeLine(os.Stdout, info{p.Config, p.Config.Params(), p.Bytes(), p.Manifest})
		},
	}
}
