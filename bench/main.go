// Command bench measures denoising passes on every engine, natively and in Chromium, and the peers that
// do the same work, all in one run; it prints a table and writes it to bench/out/bench.json.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/unmask-lm/unmask/runtime/bench"
)

// folder is where results go, below the project's root.
const folder = "bench/out"

// report is bench.json.
type report struct {
	When    time.Time      `json:"when"`
	Machine string         `json:"machine"`
	Results []bench.Result `json:"results"`
	Text    []textResult   `json:"text,omitempty"`
	// Training compares train with PyTorch.
	Training []trainingResult `json:"training,omitempty"`
	Goals    []goal           `json:"goals"`
	Skipped  []string         `json:"skipped,omitempty"`
}

func main() {
	quick := flag.Bool("quick", false, "only the base shape, 4 rows behind 256 tokens, and the contexts of the goals")
	only := flag.String("only", "", "the one part to run: native, browser, peers, text or training")
	peers := flag.String("peers", ".cache/peers", "folder of scripts/peers.sh")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *quick, *only, *peers); err != nil {
		fmt.Fprintf(os.Stderr, "bench: error: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, quick bool, only, peers string) error {
	if _, err := os.Stat("bench/main.go"); err != nil {
		return errors.New("run it from the project's root, with make bench")
	}
	r := &report{When: time.Now().UTC(), Machine: machine()}
	for _, part := range []struct {
		name string
		run  func() error
	}{
		{"native", func() error { return r.native(ctx, quick) }},
		{"browser", func() error { return r.browser(ctx, quick) }},
		{"peers", func() error { return r.peers(ctx, quick, peers) }},
		{"text", func() error { return r.texts(ctx) }},
		{"training", func() error { return r.trainings(ctx, peers) }},
	} {
		if only != "" && only != part.name {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: %s\n", part.name)
		if err := part.run(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	r.goals()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	path := filepath.Join(folder, "bench.json")
	if err := os.WriteFile(path+".new", append(data, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	r.print(os.Stdout)
	fmt.Fprintf(os.Stderr, "bench: wrote %s\n", path)
	return nil
}

// skip notes what could not be measured.
func (r *report) skip(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(os.Stderr, "bench: skipped: %s\n", text)
	r.Skipped = append(r.Skipped, text)
}
