package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/unmask-lm/unmask/runtime/bench"
	"github.com/unmask-lm/unmask/web/chromium/flags"
)

// machine names the processor.
func machine() string {
	model := runtime.GOARCH
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for _, line := range strings.Split(string(data), "\n") {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				model = strings.Trim(name, "\t :")
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d threads", model, runtime.NumCPU())
}

// command runs a program and returns what it printed.
func command(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(complaint.String()))
	}
	return out.Bytes(), nil
}

// native runs `unmask bench`.
func (r *report) native(ctx context.Context, quick bool) error {
	args := []string{"bench"}
	if quick {
		args = append(args, "--quick", "--shapes", "base")
	}
	out, err := command(ctx, "bin/unmask", args...)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var result bench.Result
		if err := json.Unmarshal(lines.Bytes(), &result); err != nil {
			return err
		}
		r.Results = append(r.Results, result)
	}
	return lines.Err()
}

// chromium opens the browser as tests do, but with a profile of its own.
func chromium(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := chromedp.NewExecAllocator(ctx, flags.Options()...)
	ctx, closePage := chromedp.NewContext(ctx)
	return ctx, func() {
		closePage()
		stop()
	}
}

// browser runs the benchmark page.
func (r *report) browser(ctx context.Context, quick bool) error {
	if _, err := exec.LookPath("chromium"); err != nil {
		r.skip("engines in the browser: no chromium")
		return nil
	}
	server := httptest.NewServer(http.FileServer(http.Dir("web/dist")))
	defer server.Close()
	ctx, stop := chromium(ctx)
	defer stop()
	url := server.URL + "/bench.html?run=1"
	if quick {
		url += "&quick=1&shapes=base"
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		return err
	}
	for {
		time.Sleep(time.Second)
		status, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.getElementById("status").textContent`))
		if err != nil {
			return err
		}
		if strings.HasPrefix(status, "error") {
			return fmt.Errorf("%s", status)
		}
		if strings.HasPrefix(status, "done") {
			if _, why, ok := strings.Cut(status, "skipped"); ok {
				r.skip("in the browser:%s", why)
			}
			break
		}
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify(bench)`))
	if err != nil {
		return err
	}
	var results []bench.Result
	if err := json.Unmarshal([]byte(text), &results); err != nil {
		return err
	}
	r.Results = append(r.Results, results...)
	return nil
}
