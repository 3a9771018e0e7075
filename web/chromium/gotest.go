package chromium

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/evanw/esbuild/pkg/api"
	"github.com/stretchr/testify/require"
)

// page runs a test binary in a worker, where the runtime runs too, and keeps its output and exit code.
const page = `<!doctype html><title>go test</title><script>
var output = "", code = null;
const worker = new Worker("worker.js");
worker.onmessage = (m) => { if (typeof m.data === "number") code = m.data; else output += m.data + "\n"; };
// A timer may still call into the program once it has ended; its exit code stands then.
worker.onerror = (e) => { output += e.message; code ??= 1; };
</script>`

const worker = `importScripts("wasm_exec.js", "kernels.js");
console.log = (text) => postMessage(String(text));
const go = new Go();
go.argv = ["test", "-test.v", "-test.run", %q];
go.exit = (code) => postMessage(code);
kernels.instantiate(go, fetch("test.wasm")).then((source) => {
  globalThis.wasm = source;
  return go.run(source.instance);
}).catch((e) => { postMessage(String(e)); postMessage(1); });
`

// RunGoTests compiles the tests of a package, a path from the project's root, to WebAssembly and runs
// those named in Chromium. All must pass, and each must have run.
func RunGoTests(t *testing.T, pkg string, timeout time.Duration, names ...string) {
	t.Helper()
	runGoTests(t, pkg, timeout, true, names)
}

// RunGoTestsPlain is RunGoTests as in a browser without relaxed SIMD.
func RunGoTestsPlain(t *testing.T, pkg string, timeout time.Duration, names ...string) {
	t.Helper()
	runGoTests(t, pkg, timeout, false, names)
}

func runGoTests(t *testing.T, pkg string, timeout time.Duration, relaxed bool, names []string) {
	t.Helper()
	root := projectRoot(t)
	dir := t.TempDir()
	build := exec.Command("go", "test", "-c", "-o", filepath.Join(dir, "test.wasm"), pkg)
	build.Dir = root
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	loader, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "wasm_exec.js"))
	require.NoError(t, err)

	kernelsLoader := bundleKernels(t, root)
	pattern := "^(" + strings.Join(names, "|") + ")$"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/test.wasm":
			w.Header().Set("Content-Type", "application/wasm")
			http.ServeFile(w, r, filepath.Join(dir, "test.wasm"))
		case "/wasm_exec.js":
			w.Header().Set("Content-Type", "text/javascript")
			w.Write(loader)
		case "/kernels.wasm", "/kernels-relaxed.wasm":
			name := path.Base(r.URL.Path)
			if !relaxed {
				name = "kernels.wasm"
			}
			w.Header().Set("Content-Type", "application/wasm")
			http.ServeFile(w, r, filepath.Join(root, "cpu", "simd", "kernels", "module", name))
		case "/kernels.js":
			w.Header().Set("Content-Type", "text/javascript")
			w.Write(kernelsLoader)
		case "/worker.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprintf(w, worker, pattern)
		default:
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, page)
		}
	}))
	defer server.Close()

	// Workgroup memory is then not cleared, which kernels must not count on, and which SwiftShader needs
	// most of its compilation for.
	ctx := Open(t, timeout+30*time.Second, "enable-dawn-features=disable_workgroup_init")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL)))
	_, err = chromedp.Run(ctx, chromedp.Poll[bool]("code !== null", chromedp.WithPollingTimeout(timeout)))
	output, outputErr := chromedp.Run(ctx, chromedp.Evaluate[string]("output"))
	require.NoError(t, outputErr)
	require.NoError(t, err, "%s", output)
	code, err := chromedp.Run(ctx, chromedp.Evaluate[int]("code"))
	require.NoError(t, err)
	require.Zero(t, code, "%s", output)
	for _, name := range names {
		require.Contains(t, output, "--- PASS: "+name+" ", "%s", output)
	}
}

// bundleKernels makes a script of the loader that the page's worker uses too.
func bundleKernels(t testing.TB, root string) []byte {
	t.Helper()
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join(root, "web", "package", "src", "kernels.ts")},
		Bundle:      true, Format: api.FormatIIFE, GlobalName: "kernels", Target: api.ES2022,
	})
	require.Empty(t, result.Errors)
	return result.OutputFiles[0].Contents
}

// projectRoot is the folder of go.mod.
func projectRoot(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}
