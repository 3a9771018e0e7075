// Package plot draws the course of training runs: loss, held-out bound, and the variance and interval of
// the schedule search over steps.
package plot

import (
	"fmt"
	"image/color"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/unmask-lm/unmask/train/metrics"
)

// Run is a training run with the name it goes by.
type Run struct {
	Name    string
	Records []metrics.Record
}

// Panel is one plot.
type panel struct {
	file, title, unit, kind string
	values                  []string // lines of a run, the first in full, others dashed
}

var panels = []panel{
	{"loss", "Training loss", "nats a token", metrics.Train, []string{"loss"}},
	{"nelbo", "Held-out NELBO", "nats a token", metrics.Validate, []string{"nelbo"}},
	{"variance", "Variance of a block's loss, best interval", "nats²", metrics.Search, []string{"variance"}},
	{"interval", "Interval of noise levels", "noise level", metrics.Search, []string{"low", "high"}},
	{"speed", "Speed", "tokens a second", metrics.Train, []string{"tokens_per_second"}},
}

// Draw writes a file for each panel that has data, in dir, in the given format (png or svg), and returns
// their paths.
func Draw(dir, format string, runs []Run) ([]string, error) {
	var written []string
	for _, panel := range panels {
		p, any, err := panel.draw(runs)
		if err != nil {
			return written, err
		}
		if !any {
			continue
		}
		path := filepath.Join(dir, panel.file+"."+format)
		if err := p.Save(18*vg.Centimeter, 11*vg.Centimeter, path); err != nil {
			return written, err
		}
		written = append(written, path)
	}
	if len(written) == 0 {
		return nil, fmt.Errorf("no measurements yet")
	}
	return written, nil
}

func (panel *panel) draw(runs []Run) (p *plot.Plot, any bool, err error) {
	p = plot.New()
	p.Title.Text = panel.title
	p.X.Label.Text = "optimiser steps"
	p.Y.Label.Text = panel.unit
	p.Legend.Top = true
	p.Legend.Padding = vg.Points(3)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
	for i, run := range runs {
		for j, value := range panel.values {
			points := series(run.Records, panel.kind, value)
			if len(points) == 0 {
				continue
			}
			any = true
			line, err := plotter.NewLine(points)
			if err != nil {
				return nil, false, fmt.Errorf("%s: %s: %w", run.Name, value, err)
			}
			line.Color, line.Width = plotutil.Color(i), vg.Points(1.3)
			if j > 0 {
				line.Dashes = plotutil.Dashes(1)
			}
			p.Add(line)
			p.Legend.Add(label(run.Name, value, len(panel.values)), line)
		}
	}
	return p, any, nil
}

func label(run, value string, values int) string {
	if values > 1 {
		return run + ", " + value
	}
	return run
}

func series(records []metrics.Record, kind, value string) (points plotter.XYs) {
	for _, r := range records {
		if v, ok := r.Values[value]; ok && r.Kind == kind {
			points = append(points, plotter.XY{X: float64(r.Step), Y: v})
		}
	}
	return points
}
