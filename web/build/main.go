// Command build makes the page: it compiles the runtime to WebAssembly, bundles the TypeScript, and
// leaves everything, with the starter model, in web/dist. It needs Go alone.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/unmask-lm/unmask/cpu/simd/kernels/module"
	"github.com/unmask-lm/unmask/models"
	"github.com/unmask-lm/unmask/web/build/segments"
)

const (
	source = "web/src"
	target = "web/dist"

	packageSource = "web/package/src"
	packageTarget = "web/package/dist"
)

// benchRuntime is the benchmark's program.
const benchRuntime = "bench.wasm"

func main() {
	if err := build(); err != nil {
		fmt.Fprintf(os.Stderr, "build: error: %v\n", err)
		os.Exit(1)
	}
}

func build() error {
	if _, err := os.Stat(source); err != nil {
		return fmt.Errorf("%s: not found; run from the project's root", source)
	}
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(target, "models", "starter"), 0o755); err != nil {
		return err
	}
	for _, step := range []func() error{compileRuntime, copyStatic, bundlePage, copyModel, bundleServiceWorker, bundlePackage} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// compileRuntime builds the WASM, without inlining, which makes it a tenth smaller and, with the kernels
// in C and WGSL, no slower; and it takes the loader that belongs to this Go, and the CPU kernels.
func compileRuntime() error {
	for name, pkg := range map[string]string{"unmask.wasm": "./wasm", benchRuntime: "./wasm/bench"} {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-gcflags=all=-l", "-o", filepath.Join(target, name), pkg)
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("compiling %s: %w", pkg, err)
		}
		if err := shrink(filepath.Join(target, name)); err != nil {
			return err
		}
	}
	if err := os.CopyFS(target, module.Files); err != nil {
		return err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	return copyFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"), "wasm_exec.js")
}

func shrink(path string) error {
	linked, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	joined, err := segments.Join(linked)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, joined, 0o755)
}

func copyStatic() error {
	for _, name := range []string{"index.html", "bench.html", "page.css", "icon.svg", "manifest.webmanifest"} {
		if err := copyFile(filepath.Join(source, name), name); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, name string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(target, name), data, 0o644)
}

func copyModel() error {
	return os.CopyFS(filepath.Join(target, "models", "starter"), models.Starter())
}

// bundlePage bundles the page, which is a module, and what runs in workers or inside exports, which are
// scripts.
func bundlePage() error {
	if err := bundle(api.FormatESModule, nil, map[string]string{"page": "web/src/page.ts"}); err != nil {
		return err
	}
	return bundle(api.FormatIIFE, nil, map[string]string{
		"bench": "web/src/bench.ts", "bench-worker": "web/src/bench-worker.ts",
		"worker": "web/package/src/worker.ts", "view": "web/package/src/element.ts",
	})
}

// bundleServiceWorker comes last: it carries the list of all files and a hash over them.
func bundleServiceWorker() error {
	files, version, err := listing()
	if err != nil {
		return err
	}
	list, err := json.Marshal(files)
	if err != nil {
		return err
	}
	define := map[string]string{"FILES": string(list), "VERSION": fmt.Sprintf("%q", version)}
	return bundle(api.FormatIIFE, define, map[string]string{"sw": "web/src/sw.ts"})
}

// listing names every file of the page relative to it, the page itself as "./".
func listing() (files []string, version string, err error) {
	h := sha256.New()
	err = filepath.WalkDir(target, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(target, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		fmt.Fprintf(h, "%s %x\n", name, sha256.Sum256(data))
		if name == benchRuntime { // fetched by those who want it
			return nil
		}
		if name == "index.html" {
			name = "./"
		}
		files = append(files, name)
		return nil
	})
	slices.Sort(files)
	return files, hex.EncodeToString(h.Sum(nil))[:16], err
}

// bundlePackage leaves what `npm pack` takes: the module, and beside it the worker with what it loads.
func bundlePackage() error {
	if err := os.RemoveAll(packageTarget); err != nil {
		return err
	}
	if err := bundleTo(packageTarget, api.FormatESModule, nil, map[string]string{"index": packageSource + "/index.ts"}); err != nil {
		return err
	}
	for _, name := range []string{"worker.js", "view.js", "unmask.wasm", module.Plain, module.Relaxed, "wasm_exec.js"} {
		data, err := os.ReadFile(filepath.Join(target, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(packageTarget, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func bundle(format api.Format, define, entries map[string]string) error {
	return bundleTo(target, format, define, entries)
}

func bundleTo(folder string, format api.Format, define, entries map[string]string) error {
	var points []api.EntryPoint
	for name, path := range entries {
		points = append(points, api.EntryPoint{InputPath: path, OutputPath: name})
	}
	result := api.Build(api.BuildOptions{
		EntryPointsAdvanced: points, Outdir: folder, Bundle: true, Write: true, Define: define,
		Format: format, Target: api.ES2022, MinifySyntax: true, MinifyWhitespace: true, LogLevel: api.LogLevelWarning,
	})
	if len(result.Errors) > 0 {
		return fmt.Errorf("bundling: %s", result.Errors[0].Text)
	}
	return nil
}
