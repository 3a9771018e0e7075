package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/models"
	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/runtime/session"
	"github.com/unmask-lm/unmask/web/chromium"
	"github.com/unmask-lm/unmask/web/site"
)

// TestMain builds the page once.
func TestMain(m *testing.M) {
	if err := os.Chdir(".."); err != nil {
		panic(err)
	}
	if out, err := exec.Command("go", "run", "./web/build").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the page: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func startServer(t *testing.T) *httptest.Server {
	t.Helper()
	handler, err := site.Handler("web/dist", "models")
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// text reads an element by its data-testid.
func text(t *testing.T, ctx context.Context, id string) string {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector('[data-testid=%s]').textContent`, id)))
	require.NoError(t, err)
	return got
}

// waitFor waits until the status begins with one of the states; an error state that is not among them
// fails at once.
func waitFor(t *testing.T, ctx context.Context, states ...string) string {
	t.Helper()
	for {
		status := text(t, ctx, "status")
		for _, s := range states {
			if strings.HasPrefix(status, s) {
				return status
			}
		}
		require.False(t, strings.HasPrefix(status, "error"), "status: %s", status)
		require.NoError(t, ctx.Err(), "status: %s", status)
		time.Sleep(50 * time.Millisecond)
	}
}

// native writes with the oracle what the page is expected to write.
func native(t *testing.T, q protocol.Generate) protocol.Done {
	t.Helper()
	p, err := model.Open(context.Background(), model.FS{FS: models.Starter()}, nil)
	require.NoError(t, err)
	s, err := session.New(p, cpu.New(p))
	require.NoError(t, err)
	var done protocol.Done
	require.NoError(t, s.Generate(context.Background(), q, func(e any) error {
		if d, ok := e.(protocol.Done); ok {
			done = d
		}
		return nil
	}))
	require.NotEmpty(t, done.Tokens)
	return done
}

func query(q protocol.Generate, engine string) string {
	return url.Values{
		"prompt": {q.Prompt}, "seed": {fmt.Sprint(q.Seed)}, "max": {fmt.Sprint(*q.MaxTokens)},
		"policy": {q.Policy}, "engine": {engine}, "run": {"1"},
	}.Encode()
}

// The main promise: load once over the network, cut it, reload, and write on WebGPU exactly what the
// same seed writes natively.
func TestOfflineGenerationEqualsNative(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 3*time.Minute)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL)))
	require.Contains(t, waitFor(t, ctx, "ready"), "offline")
	server.Close()

	n := 32
	for _, policy := range []string{"first-hitting", "confidence:0.5"} {
		q := protocol.Generate{Prompt: "The President of the United States", Seed: 7, MaxTokens: &n, Policy: policy}
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/?"+query(q, "gpu"))))
		waitFor(t, ctx, "done")
		require.Equal(t, native(t, q).Text, text(t, ctx, "output"), policy)
		require.True(t, strings.HasPrefix(text(t, ctx, "engine"), "gpu"))
	}
}

// The processor writes the same, without WebGPU, and the page says what runs and why.
func TestWithoutWebGPU(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 3*time.Minute)
	n := 12
	q := protocol.Generate{Prompt: "", Seed: 3, MaxTokens: &n, Policy: "first-hitting"}
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/?"+query(q, "cpu"))))
	waitFor(t, ctx, "done")
	require.Equal(t, native(t, q).Text, text(t, ctx, "output"))
	require.True(t, strings.HasPrefix(text(t, ctx, "engine"), "cpu"))
}

// A browser without WebGPU falls back by itself, or says clearly that it cannot.
func TestMessageWithoutWebGPU(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute, "disable-gpu")
	const without = `Object.defineProperty(WorkerNavigator.prototype, "gpu", {value: undefined});`
	handler := server.Config.Handler
	server.Config.Handler = rewrite(handler, "/worker.js", func(body []byte) []byte { return append([]byte(without), body...) })
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/?engine=gpu")))
	require.Contains(t, waitFor(t, ctx, "error"), "WebGPU")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/?engine=auto")))
	waitFor(t, ctx, "ready")
	require.True(t, strings.HasPrefix(text(t, ctx, "engine"), "cpu"))
}

// Stop ends a long text and keeps what is written.
func TestStop(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	n := 4000
	q := protocol.Generate{Prompt: "It was", Seed: 1, MaxTokens: &n, Policy: "first-hitting"}
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/?"+query(q, "auto"))))
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](cells+`.length > 12`))
	require.NoError(t, err)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(`[data-testid=stop]`)))
	require.Contains(t, waitFor(t, ctx, "done"), "stopped")
	require.NotEmpty(t, text(t, ctx, "output"))
}

// A damaged pack is refused by name.
func TestDamagedModel(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	server.Config.Handler = rewrite(server.Config.Handler, "/models/starter/model.safetensors", func(body []byte) []byte {
		body = bytes.Clone(body)
		body[len(body)/2] ^= 1
		return body
	})
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL)))
	status := waitFor(t, ctx, "error")
	require.Contains(t, status, "model.safetensors")
	require.Contains(t, status, "sha256")
}

// The worker speaks the protocol: logits and scores come back as from the oracle.
func TestWorkerAnswers(t *testing.T) {
	server := startServer(t)
	ctx := chromium.Open(t, 2*time.Minute)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL)))
	waitFor(t, ctx, "ready")
	const ask = `new Promise((resolve) => {
		const worker = new Worker("worker.js");
		const answers = [];
		worker.onmessage = (m) => {
			if (m.data === "started") return;
			const event = JSON.parse(m.data);
			if (event.type === "ready") {
				worker.postMessage(JSON.stringify({type: "logits", context: [1, 2, 3, 4], canvas: [4095, 5, 4095]}));
				worker.postMessage(JSON.stringify({type: "score", tokens: [10, 20, 30, 40, 50, 60]}));
				worker.postMessage(JSON.stringify({type: "nonsense"}));
			}
			if (event.type === "answer" || event.type === "error") answers.push(event);
			if (answers.length === 3) resolve(JSON.stringify(answers));
		};
		worker.postMessage(JSON.stringify({type: "load", url: "models/starter", engine: "gpu"}));
	})`
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[string](ask, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	var got []struct {
		protocol.Answer
		Code string `json:"code"`
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &got))

	p, err := model.Open(context.Background(), model.FS{FS: models.Starter()}, nil)
	require.NoError(t, err)
	s, err := session.New(p, cpu.New(p))
	require.NoError(t, err)
	require.NoError(t, s.Engine.Commit(context.Background(), []int{1, 2, 3, 4}))
	want, err := s.Engine.Logits(context.Background(), []int{4095, 5, 4095})
	require.NoError(t, err)
	var flat []float32
	for _, row := range got[0].Logits.Logits {
		flat = append(flat, row...)
	}
	require.InDeltaSlice(t, want, flat, 1e-3)
	scored, err := s.Score(context.Background(), protocol.Score{Tokens: []int{10, 20, 30, 40, 50, 60}}, 0)
	require.NoError(t, err)
	require.InDelta(t, scored.NELBO, got[1].Score.NELBO, 1e-3)
	require.True(t, got[1].Score.Exact)
	require.Equal(t, protocol.CodeRequest, got[2].Code)
}
