package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/web/chromium"
)

// The benchmark page measures both engines, and lets the numbers be taken home.
func TestBenchPage(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 5*time.Minute)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/bench.html?run=1&quick=1&trace=1&shapes=starter")))
	status := ""
	for !strings.HasPrefix(status, "done") {
		time.Sleep(200 * time.Millisecond)
		status = text(t, ctx, "bench-status")
		require.False(t, strings.HasPrefix(status, "error"), status)
		require.NoError(t, ctx.Err(), status)
	}
	results, err := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify(bench)`))
	require.NoError(t, err)
	var measured []struct {
		Engine     string
		MS, GFLOPs float64
		Dispatches int
		Back       int `json:"bytes_back"`
	}
	require.NoError(t, json.Unmarshal([]byte(results), &measured))
	engines := map[string]int{}
	for _, m := range measured {
		require.Positive(t, m.MS)
		require.Positive(t, m.GFLOPs)
		if m.Engine == "gpu browser" {
			require.Equal(t, 4*5+4, m.Dispatches)
			require.Equal(t, 4*16, m.Back)
		}
		engines[m.Engine]++
	}
	require.Equal(t, engines["cpu wasm"], engines["gpu browser"])
	require.Len(t, engines, 2)
	require.Contains(t, text(t, ctx, "bench-trace"), "blocks.3.down.weight")
	enabled, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!document.querySelector("[data-testid=bench-download]").disabled`))
	require.NoError(t, err)
	require.True(t, enabled)
}
