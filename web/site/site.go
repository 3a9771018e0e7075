// Package site is the page as an HTTP handler.
package site

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Policy allows the page its own files and nothing else.
const Policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'"

// types are those that the system's table may lack.
var types = map[string]string{
	".wasm": "application/wasm", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".json": "application/json", ".html": "text/html; charset=utf-8", ".svg": "image/svg+xml",
	".safetensors": "application/octet-stream", ".bin": "application/octet-stream",
}

// Handler serves the built page in dist, and packs in models under /models/ that the page does not
// bring itself.
func Handler(dist, models string) (http.Handler, error) {
	if _, err := os.Stat(filepath.Join(dist, "index.html")); err != nil {
		return nil, fmt.Errorf("%s: no built page there; `make web` builds it", dist)
	}
	page, packs := http.FileServer(http.Dir(dist)), http.FileServer(http.Dir(models))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean := path.Clean("/" + r.URL.Path)
		if t, ok := types[path.Ext(clean)]; ok {
			w.Header().Set("Content-Type", t)
		}
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Content-Security-Policy", Policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if strings.HasPrefix(clean, "/models/") {
			if _, err := os.Stat(filepath.Join(dist, filepath.FromSlash(clean))); err != nil {
				http.StripPrefix("/models", packs).ServeHTTP(w, r)
				return
			}
		}
		page.ServeHTTP(w, r)
	}), nil
}
