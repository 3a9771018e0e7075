package main

import (
	"net/http"
	"net/http/httptest"
	"strconv"
)

// rewrite serves one path with its body changed.
func rewrite(h http.Handler, path string, change func(body []byte) []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			h.ServeHTTP(w, r)
			return
		}
		r.Header.Del("If-None-Match")
		r.Header.Del("If-Modified-Since")
		recorded := httptest.NewRecorder()
		h.ServeHTTP(recorded, r)
		body := change(recorded.Body.Bytes())
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(recorded.Code)
		w.Write(body)
	})
}
