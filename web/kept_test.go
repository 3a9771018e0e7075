package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/models"
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
