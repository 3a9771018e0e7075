package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/evanw/esbuild/pkg/api"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/web/chromium"
	"github.com/unmask-lm/unmask/web/site"
)

// packageServer serves an empty page, the package under /unmask/ and packs under /models/. Nothing is
// the page's own there: models are kept as for any user of the package.
func packageServer(t *testing.T, scripts map[string]string) *httptest.Server {
	t.Helper()
	models, err := site.Handler("web/dist", "models")
	require.NoError(t, err)
	files := http.StripPrefix("/unmask/", http.FileServer(http.Dir("web/package/dist")))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", site.Policy)
		if script, ok := scripts[r.URL.Path]; ok {
			w.Header().Set("Content-Type", map[bool]string{true: "text/javascript", false: "text/html"}[strings.HasSuffix(r.URL.Path, ".js")])
			fmt.Fprint(w, script)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/unmask/") {
			files.ServeHTTP(w, r)
			return
		}
		models.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// runModule runs a module's body, whose imports come first, and returns what it returns, as JSON.
func runModule(t *testing.T, code, from string) string {
	t.Helper()
	cut := strings.LastIndex(code, `from "unmask";`) + len(`from "unmask";`)
	imports, body := strings.ReplaceAll(code[:cut], `"unmask"`, from), code[cut:]
	server := packageServer(t, map[string]string{
		"/":        `<!doctype html><title>test</title><body><script type="module" src="test.js"></script>`,
		"/test.js": imports + "\nwindow.result = (async () => {" + body + "})().then((v) => JSON.stringify(v), (e) => `failed: ${e.stack}`);",
	})
	ctx := chromium.Open(t, 2*time.Minute)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL)))
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](`window.result !== undefined`))
	require.NoError(t, err)
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`window.result`, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	require.NotContains(t, got, "failed: ")
	return got
}

// Every example of docs/javascript.md runs in a bare page and returns what it says.
func TestExamples(t *testing.T) {
	text, err := os.ReadFile("docs/javascript.md")
	require.NoError(t, err)
	examples := regexp.MustCompile("(?s)```js\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	checks := []func(t *testing.T, got string){
		func(t *testing.T, got string) { require.Greater(t, len(got), 30) },
		func(t *testing.T, got string) { require.Equal(t, `"stopped"`, got) },
		func(t *testing.T, got string) {
			var v struct {
				Filled       string
				Bits         float64
				Exact, First bool
			}
			require.NoError(t, json.Unmarshal([]byte(got), &v))
			require.True(t, strings.HasPrefix(v.Filled, " of the") && strings.HasSuffix(v.Filled, "States of America"), got)
			require.True(t, v.Exact && v.First && v.Bits > 0.5 && v.Bits < 8, got)
		},
		func(t *testing.T, got string) { require.JSONEq(t, `[true,"network",true]`, got) },
		func(t *testing.T, got string) {
			var v [4]any
			require.NoError(t, json.Unmarshal([]byte(got), &v))
			require.Equal(t, v[0], v[1], "streamed or not")
			require.Equal(t, v[0], v[2])
			require.EqualValues(t, 24, v[3])
		},
		func(t *testing.T, got string) {
			require.JSONEq(t, `{"passes":17,"masks":2,"picture":true,"recording":true}`, got)
		},
		func(t *testing.T, got string) {
			require.JSONEq(t, `{"kept":1,"complete":true,"left":0,"room":true}`, got)
		},
	}
	require.Len(t, examples, len(checks))
	for i, example := range examples {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) { checks[i](t, runModule(t, example[1], `"./unmask/index.js"`)) })
	}
}

// The package works from inside another bundle, beside which its worker's files are put.
func TestBundled(t *testing.T) {
	result := api.Build(api.BuildOptions{
		Stdin: &api.StdinOptions{
			Contents: `import { Unmask } from "./web/package/dist/index.js"; window.unmask = Unmask;`, ResolveDir: ".", Loader: api.LoaderJS,
		},
		Bundle: true, Format: api.FormatESModule, Target: api.ES2022,
	})
	require.Empty(t, result.Errors)
	server := packageServer(t, map[string]string{
		"/unmask/":          `<!doctype html><title>test</title><script type="module" src="bundle.js"></script>`,
		"/unmask/bundle.js": string(result.OutputFiles[0].Contents),
	})
	ctx := chromium.Open(t, time.Minute)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/unmask/")))
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](`window.unmask !== undefined`))
	require.NoError(t, err)
	params, err := chromedp.Run(ctx, chromedp.Evaluate[int](`window.unmask.load("/models/starter").then((m) => m.info.params)`, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	require.Positive(t, params)
}
