package main

import (
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/web/chromium"
)

// The picture of the page in mid-generation; UPDATE_SCREENSHOT=docs/page.png refreshes the one in the
// documentation. It always checks that masks are on the page while it writes.
func TestScreenshotWhileGenerating(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	n := 160
	q := protocol.Generate{Prompt: "The President of the United States has", Seed: 5, MaxTokens: &n, Policy: "first-hitting"}
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/?"+query(q, "auto"))))
	waitFor(t, ctx, "generating")
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](`(() => { const c = `+cells+`; return c.filter((s) => s.classList.contains("token")).length > 60 && c.filter((s) => s.classList.contains("mask")).length > 1; })()`))
	require.NoError(t, err)
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NotEmpty(t, picture)
	if path := os.Getenv("UPDATE_SCREENSHOT"); path != "" {
		require.NoError(t, os.WriteFile(path, picture, 0o644))
	}
}
