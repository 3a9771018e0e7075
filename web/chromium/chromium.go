// Package chromium starts the browser that tests drive: headless Chromium with WebGPU on SwiftShader.
package chromium

import (
	"context"
	"log"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/web/chromium/flags"
)

// names are those that Chromium goes by.
var names = []string{"chromium", "chromium-browser", "google-chrome", "chrome"}

// Open starts a browser with an empty profile and returns a context for its first page. It fails the
// test where there is no Chromium: `make test-setup` installs it.
func Open(t testing.TB, timeout time.Duration, more ...string) context.Context {
	t.Helper()
	path := ""
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	require.NotEmpty(t, path, "no Chromium on the PATH; `make test-setup` installs it")
	profile, err := os.MkdirTemp("", "unmask-chromium-")
	require.NoError(t, err)
	t.Cleanup(func() { removeProfile(profile) })
	options := append(flags.Options(), chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.WindowSize(1280, 800))
	for _, flag := range more {
		if name, value, ok := strings.Cut(flag, "="); ok {
			options = append(options, chromedp.Flag(name, value))
		} else {
			options = append(options, chromedp.Flag(flag, true))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(log.New(os.Stderr, "chromium: ", 0).Printf))
	t.Cleanup(cancel)
	return ctx
}

// removeProfile tries for a while: the browser's processes still write as they end.
func removeProfile(dir string) {
	for range 50 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}
