package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/unmask-lm/unmask/runtime/bench"
)

// Engines of the peers, as they appear in the table.
const (
	ortNative = "onnxruntime"
	ortWASM   = "ort-web wasm"
	ortWebGPU = "ort-web webgpu"
)

// peers measures onnxruntime on the same work: each shape at 4 rows behind 256 tokens, and with more
// rows where quick does not forbid it.
func (r *report) peers(ctx context.Context, quick bool, dir string) error {
	python, web := filepath.Join(dir, "python", "bin", "python"), filepath.Join(dir, "node_modules", "onnxruntime-web", "dist")
	if _, err := os.Stat(python); err != nil {
		r.skip("onnxruntime and onnxruntime-web: %s is missing, which writes their graph", python)
		return nil
	}
	for _, s := range bench.Shapes {
		if quick && s.Name != "base" {
			continue
		}
		for _, rows := range []int{4, 16, 32} {
			if quick && rows > 4 {
				continue
			}
			c := bench.Case{Shape: s.Name, Weights: "f32", Rows: rows, Context: 256}
			if err := r.peer(ctx, s, c, python, web); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *report) peer(ctx context.Context, s bench.Shape, c bench.Case, python, web string) error {
	dir, err := os.MkdirTemp("", "unmask-step-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	args := []string{"bench/peers/step.py", "--out", dir}
	for name, value := range map[string]int{"layers": s.Layers, "hidden": s.Hidden, "heads": s.Heads, "vocab": s.Vocab, "rows": c.Rows, "context": c.Context} {
		args = append(args, "--"+name, strconv.Itoa(value))
	}
	if _, err := command(ctx, python, args...); err != nil {
		return err
	}
	for _, threads := range []int{1, 2} {
		out, err := command(ctx, python, "bench/peers/native.py", dir, strconv.Itoa(threads))
		if err != nil {
			return err
		}
		if err := r.add(s, c, ortNative, threads, string(out)); err != nil {
			return err
		}
	}
	if _, err := os.Stat(web); err != nil {
		r.skip("onnxruntime-web: %s is missing", web)
		return nil
	}
	for _, engine := range []string{ortWASM, ortWebGPU} {
		if engine == ortWebGPU && c.Rows > 4 { // minutes a pass on a software adapter
			continue
		}
		out, err := inChromium(ctx, dir, web, engine)
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		if err := r.add(s, c, engine, 1, out); err != nil {
			return err
		}
	}
	return nil
}

// add takes a peer's measurement into the table.
func (r *report) add(s bench.Shape, c bench.Case, engine string, threads int, out string) error {
	var measured struct {
		MS    []float64
		Error string
	}
	if err := json.Unmarshal([]byte(out), &measured); err != nil {
		return err
	}
	if measured.Error != "" || len(measured.MS) == 0 {
		r.skip("%s: %s", engine, measured.Error)
		return nil
	}
	m := s.Config(c.Rows)
	flops, bytes := c.Work(&m)
	ms := slices.Min(measured.MS)
	r.Results = append(r.Results, bench.Result{
		Case: c, Engine: engine, Adapter: "onnxruntime", Threads: threads, MS: ms, Runs: len(measured.MS), GFLOPs: flops / ms / 1e6, GBs: bytes / ms / 1e6,
	})
	return nil
}

// inChromium times onnxruntime-web on the graph in dir.
func inChromium(ctx context.Context, dir, web, engine string) (string, error) {
	runs, provider := 8, "wasm"
	if engine == ortWebGPU {
		runs, provider = 1, "webgpu"
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		name := filepath.Base(q.URL.Path)
		for _, from := range []string{dir, web, "bench/peers"} {
			path := filepath.Join(from, name)
			if info, err := os.Stat(path); err == nil && !info.IsDir() {
				http.ServeFile(w, q, path)
				return
			}
		}
		http.NotFound(w, q)
	}))
	defer server.Close()
	ctx, stop := chromium(ctx)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.Navigate(fmt.Sprintf("%s/ort.html?ep=%s&runs=%d", server.URL, provider, runs))); err != nil {
		return "", err
	}
	for {
		time.Sleep(500 * time.Millisecond)
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`globalThis.peer ? JSON.stringify(peer) : ""`))
		if err != nil || text != "" {
			return text, err
		}
	}
}
