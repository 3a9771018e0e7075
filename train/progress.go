package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// display shows how training goes: on a terminal a bar below the lines that are said, elsewhere the
// lines alone.
type display struct{ bar *progressbar.ProgressBar }

func newDisplay(step, steps int) *display {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return &display{}
	}
	bar := progressbar.NewOptions(steps, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionFullWidth(),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("steps"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetRenderBlankState(true))
	_ = bar.Set(step)
	return &display{bar}
}

// progress is a loop.Run's Progress.
func (d *display) progress(step int, text string) {
	if d.bar != nil {
		d.bar.Describe(text)
		_ = d.bar.Set(step)
	}
}

// Write implements io.Writer for the lines of a run.
func (d *display) Write(p []byte) (int, error) {
	if d.bar == nil {
		return os.Stderr.Write(p)
	}
	if err := d.bar.Clear(); err != nil {
		return 0, err
	}
	n, err := os.Stderr.Write(p)
	if err == nil {
		err = d.bar.RenderBlank()
	}
	return n, err
}

func (d *display) close() {
	if d.bar != nil {
		_, _ = io.WriteString(os.Stderr, "\n")
	}
}
