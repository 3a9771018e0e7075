package site_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/web/site"
)

func TestHandler(t *testing.T) {
	dist, models := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(dist, "index.html"):                       "page",
		filepath.Join(dist, "unmask.wasm"):                      "wasm",
		filepath.Join(dist, "models", "starter", "config.json"): "built in",
		filepath.Join(models, "other", "config.json"):           "other",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	handler, err := site.Handler(dist, models)
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	defer server.Close()
	for path, want := range map[string][2]string{
		"/":                           {"page", "text/html; charset=utf-8"},
		"/unmask.wasm":                {"wasm", "application/wasm"},
		"/models/starter/config.json": {"built in", "application/json"},
		"/models/other/config.json":   {"other", "application/json"},
	} {
		response, err := http.Get(server.URL + path)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, want[0], string(body), path)
		require.Equal(t, want[1], response.Header.Get("Content-Type"), path)
		require.Contains(t, response.Header.Get("Content-Security-Policy"), "wasm-unsafe-eval")
	}
	response, err := http.Get(server.URL + "/models/absent/config.json")
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, response.StatusCode)

	_, err = site.Handler(t.TempDir(), models)
	require.ErrorContains(t, err, "make web")
}
