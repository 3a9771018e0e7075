package main

import (
	"slices"
	"strings"
)

// rule says what the packages of a room may import beside the standard library and themselves.
type rule struct {
	room     string
	rooms    []string // of this project
	external []string // prefixes of other modules; "*" allows all
	platform bool     // cgo, syscall/js and the network
	why      string
}

// rules is the map of ARCHITECTURE.md; the longest room that matches counts.
var rules = []rule{
	{"model", nil, []string{"golang.org/x/text/"}, false, "every room builds on model, so it builds on none of them"},
	{"model/golden", []string{"model"}, []string{"github.com/stretchr/testify/"}, false, "test data is for tests of any room"},
	{"model/safetensors/edit", []string{"model/safetensors"}, []string{"github.com/stretchr/testify/"}, false, "test support is for tests of any room"},
	{"model/tokenizer/hf", []string{"model/tokenizer"}, []string{"github.com/daulet/tokenizers"}, true, "cgo stays in this package, which no browser build can reach"},
	{"model/tokenizer/nfc", nil, []string{"golang.org/x/text/"}, true, "in a browser the tables are the browser's"},
	{"runtime", []string{"model"}, nil, false, "the runtime knows no engine, no GPU, no browser and no user interface"},
	{"runtime/enginetest", []string{"model", "runtime"}, []string{"github.com/stretchr/testify/"}, false, "the suite knows engines by their interface alone"},
	{"cpu", []string{"model", "runtime"}, nil, false, "the oracle and the GPU engine must not lean on each other"},
	{"cpu/simd", []string{"model", "runtime"}, nil, false, "the fast engine is held to the oracle, so it must not lean on it"},
	{"cpu/simd/kernels", nil, nil, true, "the kernels are C, and know no model"},
	{"cpu/simd/kernels/module", nil, nil, false, "it embeds a file"},
	{"gpu", []string{"model", "runtime"}, nil, false, "only gpu/device touches the platform; the oracle must stay independent"},
	{"gpu/shaders", nil, nil, false, "the registry of kernels is data"},
	{"gpu/record", nil, nil, false, "a recording is data"},
	{"gpu/device", []string{"gpu/record", "gpu/shaders"}, []string{"github.com/cogentcore/webgpu/"}, true, "it carries out recordings and knows no model, so that the binding can be replaced"},
	{"wasm", []string{"model", "runtime", "gpu", "cpu"}, nil, true, "the worker only joins runtime and engines"},
	{"web", []string{"models", "cpu/simd/kernels/module"}, []string{"github.com/spf13/cobra", "github.com/evanw/esbuild/"}, true, "the server and the build know the page, not the runtime"},
	{"web/chromium", nil, []string{"github.com/chromedp/", "github.com/evanw/esbuild/", "github.com/stretchr/testify/"}, true, "it drives a browser for tests"},
	{"native", []string{"model", "models", "runtime", "gpu", "cpu"}, []string{"github.com/spf13/cobra"}, true, "commands use rooms below, not their neighbours"},
	{"bench", []string{"runtime/bench", "runtime/protocol", "web/chromium/flags"}, []string{"github.com/chromedp/"}, true, "it runs programs and compares what they print"},
	{"train", []string{"model", "runtime", "cpu/simd"}, []string{"*"}, true, "the trainer shares names and sampling with the runtime, nothing else"},
	{"train/noise", nil, nil, false, "the forward process is readable without GoMLX"},
	{"train/corpus", nil, []string{"github.com/parquet-go/parquet-go"}, false, "text and tokens need no GoMLX"},
	{"train/shards", []string{"model/atomicdir", "train/corpus"}, []string{"golang.org/x/exp/mmap", "golang.org/x/sync/"}, false, "text and tokens need no GoMLX"},
	{"train/plot", []string{"train/metrics"}, []string{"gonum.org/v1/plot"}, false, "it draws numbers of a run"},
	{"train/metrics", nil, []string{"google.golang.org/protobuf/"}, false, "numbers of a run need no GoMLX"},
	{"train/batch", nil, nil, false, "text and tokens need no GoMLX"},
	{"train/checkpoint", []string{"model"}, nil, false, "the converter reads checkpoints without GoMLX"},
	{"tools", []string{"model", "runtime/draw", "train/checkpoint"}, []string{"github.com/spf13/cobra"}, true, "tools read what the trainer leaves, not how it works"},
	{"models", nil, nil, false, "it embeds a pack"},
}

func ruleFor(room string) (rule, bool) {
	best, found := rule{}, false
	for _, r := range rules {
		if within(room, r.room) && (!found || len(r.room) > len(best.room)) {
			best, found = r, true
		}
	}
	return best, found
}

func within(path, room string) bool { return path == room || strings.HasPrefix(path, room+"/") }

// platformImports are what only rooms at the edge may use.
var platformImports = []string{"C", "syscall/js", "net", "net/http"}

// refuses returns why room may not import path, or "".
func (r rule) refuses(room, path string) string {
	if inside, ok := strings.CutPrefix(path, Module+"/"); ok {
		if within(inside, r.room) || slices.ContainsFunc(r.rooms, func(allowed string) bool { return within(inside, allowed) }) {
			return ""
		}
		return r.why
	}
	if slices.Contains(platformImports, path) && !r.platform {
		return r.why
	}
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		return "" // standard library
	}
	if slices.ContainsFunc(r.external, func(prefix string) bool { return prefix == "*" || strings.HasPrefix(path, prefix) }) {
		return ""
	}
	return r.why
}
