// Command arrows checks that imports run the way ARCHITECTURE.md draws them. `make lint` runs it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Module is the import path of the project.
const Module = "github.com/unmask-lm/unmask"

func main() {
	var all []string
	for _, env := range [][]string{{"GOOS=linux"}, {"GOOS=js", "GOARCH=wasm"}} {
		packages, err := list(env)
		if err != nil {
			fmt.Fprintf(os.Stderr, "arrows: error: %v\n", err)
			os.Exit(1)
		}
		for _, p := range packages {
			all = append(all, check(p)...)
		}
	}
	if len(all) > 0 {
		fmt.Fprintln(os.Stderr, strings.Join(all, "\n"))
		os.Exit(1)
	}
}

// pkg is a package as `go list -json` describes it.
type pkg struct {
	ImportPath string
	Imports    []string
	CgoFiles   []string
}

func list(env []string) ([]pkg, error) {
	cmd := exec.Command("go", "list", "-e", "-tags", "hf", "-json=ImportPath,Imports,CgoFiles", "./...")
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var packages []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// check returns a line for each import of p that no rule allows.
func check(p pkg) []string {
	room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, Module), "/")
	r, ok := ruleFor(room)
	if !ok {
		return []string{fmt.Sprintf("%s: no rule for this room; add one to tools/arrows/rules.go", room)}
	}
	var out []string
	for _, path := range p.Imports {
		if why := r.refuses(room, path); why != "" {
			out = append(out, fmt.Sprintf("%s imports %s: %s", room, strings.TrimPrefix(path, Module+"/"), why))
		}
	}
	return out
}
