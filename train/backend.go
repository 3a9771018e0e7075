package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the pure Go backend, "go"
	"github.com/gomlx/go-xla/compute/xla"
)

const (
	// pluginFolder is where `make pjrt` puts PJRT plugins, relative to the working folder.
	pluginFolder = ".cache/pjrt"
	// pluginPath, where set, is searched instead (by go-xla, at start-up).
	pluginPath = "PJRT_PLUGIN_LIBRARY_PATH"
)

// portable is the pure Go backend, one operation at a time: running several at once has been seen to
// hang with v0.1.3, when an operation then waited for workers that waited for it.
const portable = "go:ops_sequential"

// openBackend opens a GoMLX backend by its configuration. "auto" takes a CUDA plugin where one is
// found, then XLA's CPU plugin, then pure Go. Nothing is downloaded.
func openBackend(config string) (compute.Backend, error) {
	xla.EnableAutoInstall(false)
	backend, err := construct(resolve(config))
	if err != nil {
		return nil, fmt.Errorf("--backend %s: %w; plugins are looked for in $%s and in %s, where `make pjrt` puts the one for CPUs", config, err, pluginPath, pluginFolder)
	}
	return backend, nil
}

// construct turns GoMLX's panic over an unknown name into an error.
func construct(config string) (backend compute.Backend, err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case error:
			err = e
		default:
			panic(e)
		}
	}()
	return compute.NewWithConfig(config)
}

// describe names a backend without the folders of this machine.
func describe(backend compute.Backend) string {
	words := strings.Fields(backend.Description())
	for i, word := range words {
		if at := strings.LastIndex(word, "/"); at >= 0 {
			words[i] = strings.Trim(word[at+1:], "()")
		}
	}
	return strings.Join(slices.Compact(words), " ")
}

func resolve(config string) string {
	if config == "auto" {
		for _, name := range []string{"cuda", "cpu"} {
			if path := findPlugin(name); path != "" {
				return "xla:" + path
			}
		}
		config = "go"
	}
	if config == "go" {
		return portable
	}
	name, ok := strings.CutPrefix(config, "xla:")
	if path := findPlugin(name); ok && path != "" {
		return "xla:" + path
	}
	return config
}

// findPlugin returns the absolute path of a plugin, or "".
func findPlugin(name string) string {
	folders := filepath.SplitList(os.Getenv(pluginPath))
	if len(folders) == 0 {
		folders = []string{pluginFolder, filepath.Join(pluginFolder, "nvidia")}
	}
	for _, dir := range folders {
		path, err := filepath.Abs(filepath.Join(dir, "pjrt_c_api_"+name+"_plugin.so"))
		if err != nil {
			continue
		}
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}
