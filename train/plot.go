package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/train/metrics"
	"github.com/unmask-lm/unmask/train/plot"
)

func plotCommand() *cobra.Command {
	var out, format string
	c := &cobra.Command{
		Use:     "plot RUN...",
		Short:   "draw loss, held-out bound, variance and interval of runs over steps",
		Example: "  train plot runs/small runs/large --out plots --format svg",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("no run given: name folders of runs")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if format != "png" && format != "svg" {
				return usage("--format is %q, expected png or svg", format)
			}
			var runs []plot.Run
			for _, dir := range args {
				records, err := metrics.Read(dir)
				if err != nil {
					return err
				}
				runs = append(runs, plot.Run{Name: filepath.Base(dir), Records: records})
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return fmt.Errorf("--out: %w", err)
			}
			written, err := plot.Draw(out, format, runs)
			for _, path := range written {
				fmt.Println(path)
			}
			return err
		},
	}
	c.Flags().StringVar(&out, "out", ".", "folder for the pictures")
	c.Flags().StringVar(&format, "format", "png", "png or svg")
	return c
}
