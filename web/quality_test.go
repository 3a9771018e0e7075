package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/web/chromium"
)

// browsersOwn are the hosts that Chromium itself asks, whatever the page.
var browsersOwn = regexp.MustCompile(`^(clients\d|accounts|update|content-autofill|optimizationguide-pa|safebrowsing|edgedl|redirector)\.(google|googleapis|gvt1)\.(com|me)(:443)?$`)

// The page, its workers and its service worker ask nobody but their own server: everything that the
// browser sends goes through a proxy here.
func TestNoThirdParty(t *testing.T) {
	server := startServer(t)
	own := server.Listener.Addr().String()
	var mu sync.Mutex
	var asked, others []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Host != own {
			if !browsersOwn.MatchString(r.Host) {
				others = append(others, r.Host)
			}
			http.Error(w, "not here", http.StatusForbidden)
			return
		}
		asked = append(asked, r.URL.Path)
		r.RequestURI = ""
		(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(&url.URL{Scheme: "http", Host: own}) }}).ServeHTTP(w, r)
	}))
	defer proxy.Close()
	ctx := chromium.Open(t, 2*time.Minute, "proxy-server="+proxy.URL, "proxy-bypass-list=<-loopback>")
	open(t, ctx, server, "run=1&max=8")
	waitFor(t, ctx, "done")
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, asked, "/unmask.wasm")
	require.Contains(t, asked, "/sw.js")
	require.Empty(t, others)
}

// A new version waits for the text under way, says that it is there, and is used when asked for.
func TestUpdateWhileGenerating(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 3*time.Minute)
	open(t, ctx, server, "")
	waitFor(t, ctx, "ready")
	open(t, ctx, server, "run=1&seed=5&max=400")
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](cells+`.length > 20`))
	require.NoError(t, err)
	server.Config.Handler = rewrite(server.Config.Handler, "/sw.js", func(body []byte) []byte {
		return append(bytes.Clone(body), "\n// another version"...)
	})
	evaluate[bool](t, ctx, `navigator.serviceWorker.getRegistration().then((r) => r.update()).then(() => true)`)
	_, err = chromedp.Run(ctx, chromedp.Poll[bool](`document.getElementById("notice").textContent.includes("update is ready")`))
	require.NoError(t, err)
	require.Contains(t, waitFor(t, ctx, "done"), "length")
	n := 400
	require.Equal(t, native(t, protocol.Generate{Prompt: "It was a fine morning in the spring of the year, and", Seed: 5, MaxTokens: &n}).Text, text(t, ctx, "output"))
	evaluate[bool](t, ctx, `(window.old = true, setTimeout(() => document.querySelector("#notice button").click()), true)`)
	require.Eventually(t, func() bool {
		anew, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.old === undefined && document.body?.dataset.state !== undefined`))
		return err == nil && anew
	}, time.Minute, 50*time.Millisecond)
}

// Two tabs write at once, each its own text.
func TestTwoTabs(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank")))
	other, cancel := chromedp.NewContext(ctx)
	defer cancel()
	open(t, ctx, server, "run=1&seed=5&max=40&prompt=It")
	open(t, other, server, "run=1&seed=6&max=40&prompt=It")
	waitFor(t, ctx, "done")
	waitFor(t, other, "done")
	n := 40
	require.Equal(t, native(t, protocol.Generate{Prompt: "It", Seed: 5, MaxTokens: &n}).Text, text(t, ctx, "output"))
	require.Equal(t, native(t, protocol.Generate{Prompt: "It", Seed: 6, MaxTokens: &n}).Text, text(t, other, "output"))
}

// When the page first shows something, and what keeps its main thread busy while a text is written, are
// printed for docs/performance.md; nothing is asserted of times.
func TestMainThread(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	open(t, ctx, server, "max=200")
	waitFor(t, ctx, "ready")
	evaluate[bool](t, ctx, `window.long = []; new PerformanceObserver((l) => long.push(...l.getEntries().map((e) => e.duration))).observe({type: "longtask"}); true`)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(`[data-testid=generate]`)))
	waitFor(t, ctx, "done")
	t.Logf("first contentful paint: %v ms after navigation", evaluate[float64](t, ctx, `performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1`))
	t.Logf("tasks over 50 ms while 200 tokens were written: %v", evaluate[[]float64](t, ctx, `window.long`))
	require.Greater(t, len(text(t, ctx, "output")), 200)
}

// The page fits every width without scrolling sideways, and nothing jumps while it loads and writes.
func TestLayout(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	for _, width := range []int64{360, 768, 1440} {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)))
		open(t, ctx, server, "run=1&max=60&seed=4")
		evaluate[bool](t, ctx, `window.shift = 0; new PerformanceObserver((l) => l.getEntries().forEach((e) => { if (!e.hadRecentInput) shift += e.value; })).observe({type: "layout-shift", buffered: true}); true`)
		waitFor(t, ctx, "done")
		require.LessOrEqual(t, evaluate[int](t, ctx, `document.documentElement.scrollWidth`), int(width))
		require.Less(t, evaluate[float64](t, ctx, `shift`), 0.1, "cumulative layout shift at %d", width)
		for _, details := range []string{"details", "#score-panel"} {
			evaluate[bool](t, ctx, fmt.Sprintf(`document.querySelector(%q).open = true`, details))
		}
		require.LessOrEqual(t, evaluate[int](t, ctx, `document.documentElement.scrollWidth`), int(width), "with everything unfolded")
	}
}

// Every control has a name that a screen reader can say, and the page says changes of state once, not
// every token.
func TestAccessibility(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	open(t, ctx, server, "")
	waitFor(t, ctx, "ready")
	const nameless = `[...document.querySelectorAll("button, input, select, textarea, a"), ...document.querySelector("unmask-view").shadowRoot.querySelectorAll("button, input, select")]
		.filter((e) => !e.hidden && !(e.ariaLabel || e.labels?.length || e.textContent.trim() || e.title)).map((e) => e.outerHTML)`
	require.Empty(t, evaluate[[]string](t, ctx, nameless))
	require.Equal(t, "en", evaluate[string](t, ctx, `document.documentElement.lang`))
	require.Equal(t, 1, evaluate[int](t, ctx, `document.querySelectorAll("h1").length`))
	evaluate[bool](t, ctx, `window.said = []; new MutationObserver(() => said.push(document.getElementById("live").textContent)).observe(document.getElementById("live"), {childList: true, characterData: true, subtree: true}); true`)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(`[data-testid=generate]`)))
	waitFor(t, ctx, "done")
	require.Equal(t, []string{"generating", "done: length reached"}, evaluate[[]string](t, ctx, `said`))
}

// A tab that is hidden while it writes shows the whole text when it is seen again.
func TestHiddenTab(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	open(t, ctx, server, "run=1&seed=5&max=120&prompt=It")
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](cells+`.length > 4`))
	require.NoError(t, err)
	other, cancel := chromedp.NewContext(ctx)
	require.NoError(t, chromedp.Do(other, chromedp.Navigate("about:blank")))
	waitFor(t, ctx, "done")
	cancel()
	n := 120
	want := native(t, protocol.Generate{Prompt: "It", Seed: 5, MaxTokens: &n}).Text
	require.Equal(t, want, text(t, ctx, "output"))
	require.Equal(t, want, evaluate[string](t, ctx, cells+`.map((s) => s.textContent).join("")`))
}

// soakWarmup is how many texts it takes until the garbage collector's heap has its size.
const soakWarmup = 50

// One text after the other is written, a few more than the warm-up or for as long as SOAK says (SOAK=30m);
// memory must not grow.
func TestSoak(t *testing.T) {
	var length time.Duration
	if asked := os.Getenv("SOAK"); asked != "" {
		var err error
		length, err = time.ParseDuration(asked)
		require.NoError(t, err)
	}
	server := startServer(t)
	ctx := chromium.Open(t, length+5*time.Minute)
	open(t, ctx, server, "max=200")
	waitFor(t, ctx, "ready")
	var first, last float64
	texts := 0
	for began := time.Now(); texts <= soakWarmup+10 || time.Since(began) < length; texts++ {
		button := "[data-testid=other]"
		if texts == 0 {
			button = "[data-testid=generate]"
		}
		require.NoError(t, chromedp.Do(ctx, chromedp.Click(button)))
		waitFor(t, ctx, "done")
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.getElementById("numbers").textContent.includes("MB of memory")`))
		require.NoError(t, err)
		var runtime float64
		_, err = fmt.Sscanf(evaluate[string](t, ctx, `document.getElementById("numbers").textContent.match(/, ([\d.]+) MB of memory/)[1]`), "%g", &runtime)
		require.NoError(t, err)
		if last = runtime; texts == soakWarmup {
			first = runtime
		}
		if texts%soakWarmup == 0 {
			t.Logf("%d texts: %.1f MB", texts, runtime)
		}
	}
	t.Logf("the page's heap: %v bytes", evaluate[float64](t, ctx, `performance.memory.usedJSHeapSize`))
	require.Greater(t, texts, soakWarmup)
	require.Less(t, last, 1.2*first)
}
