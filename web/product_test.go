package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/web/chromium"
)

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
