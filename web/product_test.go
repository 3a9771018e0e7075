package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/models"
	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/web/chromium"
	"github.com/unmask-lm/unmask/web/site"
)

const shard = "/models/other/model.safetensors"

// otherServer serves the page, and the starter's files once more as "other", a model that the page does
// not bring itself; change may spoil an answer.
func otherServer(t *testing.T, change func(w http.ResponseWriter, r *http.Request, next http.Handler)) *httptest.Server {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "other"), models.Starter()))
	handler, err := site.Handler("web/dist", dir)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { change(w, r, handler) }))
	t.Cleanup(server.Close)
	return server
}

// evaluate runs JavaScript in the page and waits for its promise.
func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	return got
}

// open goes to the page on the CPU engine, with more in the query.
func open(t *testing.T, ctx context.Context, server *httptest.Server, query string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/?engine=cpu&"+query)))
}

// A connection that breaks in mid-shard goes on where it ended; what is stored needs no server, and what
// is damaged on disk is fetched anew.
func TestKeptModel(t *testing.T) {
	var mu sync.Mutex
	var ranges []string // of the requests for the shard
	down := false
	server := otherServer(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		first := r.URL.Path == shard && len(ranges) == 0
		if r.URL.Path == shard {
			ranges = append(ranges, r.Header.Get("Range"))
		}
		gone := down && strings.HasPrefix(r.URL.Path, "/models/other/")
		mu.Unlock()
		if gone {
			http.Error(w, "gone", http.StatusNotFound)
			return
		}
		if !first {
			next.ServeHTTP(w, r)
			return
		}
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		w.Header().Set("Content-Length", fmt.Sprint(recorded.Body.Len()))
		_, _ = w.Write(recorded.Body.Bytes()[:recorded.Body.Len()/2])
		panic(http.ErrAbortHandler) // the cable is pulled
	})
	ctx := chromium.Open(t, 3*time.Minute)
	open(t, ctx, server, "model=other")
	waitFor(t, ctx, "ready")
	require.Len(t, ranges, 2)
	require.Regexp(t, `^bytes=[1-9]\d+-$`, ranges[1], "the second request asks for the rest alone")

	down = true
	open(t, ctx, server, "model=other")
	waitFor(t, ctx, "ready")
	require.Len(t, ranges, 2, "everything was stored")

	const damage = `(async () => {
		const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("unmask-models");
		for await (const folder of root.values()) {
			const handle = await folder.getFileHandle("model.safetensors");
			const out = await handle.createWritable({keepExistingData: true});
			await out.write({type: "write", position: 1000000, data: new Uint8Array([1, 2, 3])});
			await out.close();
			return (await handle.getFile()).size;
		}
	})()`
	require.Positive(t, evaluate[int](t, ctx, damage))
	down = false
	open(t, ctx, server, "model=other")
	waitFor(t, ctx, "ready")
	require.Len(t, ranges, 3, "the damaged shard was fetched anew")

	require.NoError(t, chromedp.Do(ctx, chromedp.Click(`[data-testid=open-models]`)))
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelectorAll("#kept li").length === 2`))
	require.NoError(t, err)
	require.Contains(t, text(t, ctx, "kept"), "verified")
	evaluate[bool](t, ctx, `[...document.querySelectorAll("#kept button")].find((b) => b.textContent === "Delete").click() ?? true`)
	_, err = chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelectorAll("#kept li").length === 1`))
	require.NoError(t, err)
}

// A shard that is damaged on the wire is refused by name, and nothing of it is trusted later.
func TestDamagedOnTheWire(t *testing.T) {
	spoil := true
	server := otherServer(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == shard && spoil {
			rewrite(next, shard, func(body []byte) []byte { body = bytes.Clone(body); body[5000] ^= 4; return body }).ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
	ctx := chromium.Open(t, 2*time.Minute)
	open(t, ctx, server, "model=other")
	status := waitFor(t, ctx, "error")
	require.Contains(t, status, "model.safetensors")
	require.Contains(t, status, "sha256")
	spoil = false
	open(t, ctx, server, "model=other")
	waitFor(t, ctx, "ready")
}

// A model that will not fit is refused before it is fetched, with the numbers.
func TestQuota(t *testing.T) {
	fetched := 0
	server := otherServer(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == shard {
			fetched++
		}
		next.ServeHTTP(w, r)
	})
	ctx := chromium.Open(t, 2*time.Minute)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/icon.svg")))
	require.NoError(t, func() error {
		size := 1e6
		_, err := chromedp.Call(ctx, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: server.URL, QuotaSize: &size})
		return err
	}())
	open(t, ctx, server, "model=other")
	require.Regexp(t, `needs \d+\.\d MB more than the \d+\.\d MB that are stored`, waitFor(t, ctx, "error"))
	require.Zero(t, fetched)
}

// A model comes from files too: one .zip, deflated.
func TestImport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.zip")
	f, err := os.Create(path)
	require.NoError(t, err)
	archive := zip.NewWriter(f)
	starter := models.Starter()
	require.NoError(t, fs.WalkDir(starter, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(starter, name)
		if err != nil {
			return err
		}
		w, err := archive.Create("folder/" + name)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}))
	require.NoError(t, archive.Close())
	require.NoError(t, f.Close())
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	open(t, ctx, server, "")
	waitFor(t, ctx, "ready")
	require.NoError(t, chromedp.Do(ctx, chromedp.SetUploadFiles(`[data-testid=files]`, []string{path})))
	_, err = chromedp.Run(ctx, chromedp.Poll[bool](`document.getElementById("model-name").textContent === "mine" && document.body.dataset.state === "ready"`))
	require.NoError(t, err)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(`[data-testid=generate]`)))
	waitFor(t, ctx, "done")
	require.NotEmpty(t, text(t, ctx, "output"))
}

// cells reads what the view shows: the text of each token.
const cells = `[...document.querySelector("unmask-view").shadowRoot.querySelectorAll("span[data-index]")]`

// Words that are clicked on are written anew, and all others stay; a text goes on; a link writes it again.
func TestEdit(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 3*time.Minute)
	open(t, ctx, server, "run=1&seed=2&max=24&prompt=It+was")
	waitFor(t, ctx, "done")
	before := evaluate[[]string](t, ctx, cells+`.map((s) => s.textContent)`)
	require.Len(t, before, 24)

	require.NoError(t, chromedp.Do(ctx, chromedp.SetValue("#seed", "99")))
	evaluate[bool](t, ctx, cells+`.filter((s, i) => i === 5 || i === 9).forEach((s) => s.click()) ?? true`)
	require.Equal(t, 2, evaluate[int](t, ctx, cells+`.filter((s) => s.classList.contains("marked")).length`))
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(`[data-testid=fill]`)))
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.body.dataset.state === "done" && document.getElementById("numbers").textContent.startsWith("24 tokens in 3 passes")`)) // one of them for the row behind the last token
	require.NoError(t, err)
	after := evaluate[[]string](t, ctx, cells+`.map((s) => s.textContent)`)
	require.Len(t, after, 24)
	for i := range before {
		if i != 5 && i != 9 {
			require.Equal(t, before[i], after[i], i)
		}
	}

	require.NoError(t, chromedp.Do(ctx, chromedp.SetValue("#max", "12"), chromedp.Click(`[data-testid=continue]`)))
	_, err = chromedp.Run(ctx, chromedp.Poll[bool](`document.body.dataset.state === "done" && document.getElementById("numbers").textContent.startsWith("36 tokens")`))
	require.NoError(t, err)
	longer := evaluate[[]string](t, ctx, cells+`.map((s) => s.textContent)`)
	require.Equal(t, after, longer[:24])

	open(t, ctx, server, "run=1&seed=31&max=20&prompt=The+sea&temperature=0.7")
	waitFor(t, ctx, "done")
	want := text(t, ctx, "output")
	evaluate[bool](t, ctx, `navigator.clipboard.writeText = (link) => { window.link = link; return Promise.resolve(); }; true`)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(`[data-testid=share]`)))
	link := evaluate[string](t, ctx, `window.link`)
	require.Contains(t, link, "seed=31")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(link)))
	waitFor(t, ctx, "done")
	require.Equal(t, want, text(t, ctx, "output"))
}

// Shift extends a choice, pinning keeps the words chosen and marks the rest of their blocks.
func TestChoosing(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	open(t, ctx, server, "run=1&seed=2&max=24&prompt=It+was")
	waitFor(t, ctx, "done")
	const marked = cells + `.flatMap((s, i) => s.classList.contains("marked") ? [i] : [])`
	evaluate[bool](t, ctx, cells+`[3].click() ?? true`)
	evaluate[bool](t, ctx, cells+`[6].dispatchEvent(new MouseEvent("click", {bubbles: true, shiftKey: true})) ?? true`)
	require.Equal(t, []int{3, 4, 5, 6}, evaluate[[]int](t, ctx, marked))
	mode := func(value string) {
		evaluate[bool](t, ctx, fmt.Sprintf(`(() => { const m = document.getElementById("edit-mode"); m.value = %q; m.dispatchEvent(new Event("change")); return true; })()`, value))
	}
	mode("pin")
	require.Empty(t, evaluate[[]int](t, ctx, marked))
	evaluate[bool](t, ctx, cells+`[3].click() ?? true`) // behind two words of prompt and its first token, blocks begin at 1, 5, …
	require.Equal(t, []int{1, 2, 4}, evaluate[[]int](t, ctx, marked))
	mode("from")
	evaluate[bool](t, ctx, cells+`[20].click() ?? true`)
	require.Equal(t, []int{20, 21, 22, 23}, evaluate[[]int](t, ctx, marked))
}

// A device that is destroyed in mid-text is replaced: the page says so, and the text is the same.
func TestDeviceDestroyed(t *testing.T) {
	const spoil = `
		const request = GPUAdapter.prototype.requestDevice;
		let first;
		GPUAdapter.prototype.requestDevice = async function (...args) { const device = await request.apply(this, args); first ??= device; return device; };
		const post = self.postMessage.bind(self);
		let reveals = 0;
		self.postMessage = (message) => { if (String(message).includes('"reveal"') && ++reveals === 10) first.destroy(); post(message); };
	`
	server := startServer(t)
	server.Config.Handler = rewrite(server.Config.Handler, "/worker.js", func(body []byte) []byte { return append([]byte(spoil), body...) })
	ctx := chromium.Open(t, 3*time.Minute)
	n := 40
	q := protocol.Generate{Prompt: "It was", Seed: 9, MaxTokens: &n, Policy: "first-hitting"}
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/?"+query(q, "gpu"))))
	waitFor(t, ctx, "done")
	require.Equal(t, native(t, q).Text, text(t, ctx, "output"))
	require.Contains(t, evaluate[string](t, ctx, `document.getElementById("notice").textContent`), "was reset")
}

// The player shows any pass; a token tells its alternatives, among them itself with the probability it
// had.
func TestPlayer(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	open(t, ctx, server, "run=1&seed=2&max=16&prompt=It+was&temperature=0")
	waitFor(t, ctx, "done")
	const masks = cells + `.filter((s) => s.classList.contains("mask")).length`
	passes := evaluate[int](t, ctx, `document.querySelector("unmask-view").passes`)
	require.GreaterOrEqual(t, passes, 16)
	require.Zero(t, evaluate[int](t, ctx, masks))
	evaluate[bool](t, ctx, `document.querySelector("unmask-view").show(2) ?? true`)
	require.Positive(t, evaluate[int](t, ctx, masks))
	evaluate[bool](t, ctx, fmt.Sprintf(`document.querySelector("unmask-view").show(%d) ?? true`, passes))
	evaluate[bool](t, ctx, cells+`[6].dispatchEvent(new PointerEvent("pointerover", {bubbles: true})) ?? true`)
	const tip = `document.querySelector("unmask-view").shadowRoot.querySelector(".tip")`
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](tip+`.querySelectorAll(".row").length === 5`))
	require.NoError(t, err)
	said := evaluate[string](t, ctx, tip+`.textContent`)
	require.Contains(t, said, "entropy")
	const own = tip + `.querySelector(".row").classList.contains("own")`
	require.True(t, evaluate[bool](t, ctx, own), "at temperature 0 a token is the first of its alternatives: %s", said)
	shares := regexp.MustCompile(`([\d.]+) %`).FindAllStringSubmatch(said, -1)
	require.Len(t, shares, 6, said)
	before, err := strconv.ParseFloat(shares[0][1], 64)
	require.NoError(t, err)
	now, err := strconv.ParseFloat(shares[1][1], 64)
	require.NoError(t, err)
	require.InDelta(t, before, now, 0.6, "what it had when it was written; in whole percent")
}

// Every export opens again: the recording in the view, the picture in the browser, the player from a file.
func TestExports(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	open(t, ctx, server, "run=1&seed=2&max=16&prompt=It+was")
	waitFor(t, ctx, "done")
	want := text(t, ctx, "output")
	evaluate[bool](t, ctx, `window.saved = []; URL.createObjectURL = (blob) => { saved.push(blob); return "#"; }; true`)
	export := func(kind string) []byte {
		evaluate[bool](t, ctx, fmt.Sprintf(`(() => { saved.length = 0; const s = document.getElementById("export"); s.value = %q; s.dispatchEvent(new Event("change")); return true; })()`, kind))
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](`saved.length === 1`))
		require.NoError(t, err)
		data, err := base64.StdEncoding.DecodeString(evaluate[string](t, ctx, `new Promise((done) => { const r = new FileReader(); r.onload = () => done(r.result.split(",")[1]); r.readAsDataURL(saved[0]); })`))
		require.NoError(t, err)
		return data
	}
	require.Equal(t, "It was"+want, string(export("txt")))

	recording := export("json")
	var decoded struct{ Prompt string }
	require.NoError(t, json.Unmarshal(recording, &decoded))
	require.Equal(t, "It was", decoded.Prompt)
	shown := evaluate[string](t, ctx, `(() => { const v = document.createElement("unmask-view"); v.load(`+string(recording)+`); v.show(1e9); return v.shadowRoot.querySelector(".text").textContent; })()`)
	require.Equal(t, "It was"+want, shown)

	picture := export("png")
	require.Contains(t, string(picture), "acTL")
	require.Equal(t, bytes.Count(picture, []byte("fcTL")), 1+evaluate[int](t, ctx, `document.querySelector("unmask-view").passes`))
	frames := evaluate[int](t, ctx, `(async () => { const d = new ImageDecoder({data: await saved[0].arrayBuffer(), type: "image/png"}); await d.tracks.ready; await d.decode({frameIndex: d.tracks.selectedTrack.frameCount - 1}); return d.tracks.selectedTrack.frameCount; })()`)
	require.Equal(t, bytes.Count(picture, []byte("fcTL")), frames)

	path := filepath.Join(t.TempDir(), "player.html")
	require.NoError(t, os.WriteFile(path, export("html"), 0o644))
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("file://"+path)))
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelector("unmask-view").pass === document.querySelector("unmask-view").passes`))
	require.NoError(t, err)
	require.Equal(t, "It was"+want, evaluate[string](t, ctx, `document.querySelector("unmask-view").shadowRoot.querySelector(".text").textContent`))
}

// A text is scored token by token.
func TestScorePanel(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	open(t, ctx, server, "")
	waitFor(t, ctx, "ready")
	require.NoError(t, chromedp.Do(ctx, chromedp.SetValue("#score-text", "It was a fine morning.")))
	evaluate[bool](t, ctx, `document.getElementById("score").click() ?? true`)
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.getElementById("score-sum").textContent.includes("exactly")`))
	require.NoError(t, err)
	require.Equal(t, "It was a fine morning.", evaluate[string](t, ctx, `document.getElementById("score-map").textContent`))
	require.Regexp(t, `perplexity \d+\.\d, \d\.\d\d bits a byte`, text(t, ctx, "score-sum"))
}

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

// SOAK=30m writes one text after the other for so long; memory must not grow.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Skip("SOAK, such as 30m, says how long")
	}
	server := startServer(t)
	ctx := chromium.Open(t, length+2*time.Minute)
	open(t, ctx, server, "max=200")
	waitFor(t, ctx, "ready")
	var first, last float64
	texts := 0
	for began := time.Now(); time.Since(began) < length; texts++ {
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
