// Package shaders is the one registry of kernels. A kernel's bindings are read from its WGSL, so that
// host and shader cannot disagree about them.
package shaders

import (
	"embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

//go:embed *.wgsl lib/*.wgsl
var files embed.FS

// Access is how a kernel uses a binding.
type Access int

// Accesses.
const (
	Uniform Access = iota
	Read
	ReadWrite
)

// Binding is one resource of a kernel.
type Binding struct {
	Name   string
	Access Access
}

// Kernel is one entry of the registry.
type Kernel struct {
	Name     string // file, and variant after a dot where there are several
	Source   string // complete WGSL
	Bindings []Binding
}

// kernels lists every file, and the storage types of weights that it comes in.
var kernels = []struct {
	file     string
	variants []string
}{
	{"embed", []string{"f32", "f16"}},
	{"layernorm", nil},
	{"matmul", []string{"f32", "f16"}},
	{"rope", nil},
	{"attend", nil},
	{"draw", nil},
}

// weightTypes is what four weights are stored as, by variant.
var weightTypes = map[string]string{"f32": "vec4<f32>", "f16": "vec2<u32>"}

// All returns every kernel in every variant.
func All() []Kernel {
	var out []Kernel
	for _, k := range kernels {
		if k.variants == nil {
			out = append(out, build(k.file, ""))
		}
		for _, v := range k.variants {
			out = append(out, build(k.file, v))
		}
	}
	return out
}

// Names returns the files of the registry, without variants.
func Names() []string {
	out := make([]string, len(kernels))
	for i, k := range kernels {
		out[i] = k.file
	}
	return out
}

var (
	importLine  = regexp.MustCompile(`(?m)^//#import (\w+)$`)
	bindingLine = regexp.MustCompile(`(?m)^@group\(0\) @binding\((\d+)\) var<(uniform|storage, read|storage, read_write)> (\w+):`)
)

var accesses = map[string]Access{"uniform": Uniform, "storage, read": Read, "storage, read_write": ReadWrite}

func build(file, variant string) Kernel {
	source := importLine.ReplaceAllStringFunc(read(file+".wgsl"), func(line string) string {
		name := importLine.FindStringSubmatch(line)[1]
		if name == "weights" {
			name += "_" + variant
		}
		return read("lib/" + name + ".wgsl")
	})
	k := Kernel{Name: Variant(file, variant), Source: strings.ReplaceAll(source, "WEIGHT", weightTypes[variant])}
	for i, m := range bindingLine.FindAllStringSubmatch(k.Source, -1) {
		if n, err := strconv.Atoi(m[1]); err != nil || n != i {
			panic(fmt.Sprintf("%s.wgsl: binding %s is number %s, expected %d", file, m[3], m[1], i))
		}
		k.Bindings = append(k.Bindings, Binding{m[3], accesses[m[2]]})
	}
	return k
}

// Variant is the name of a kernel in a variant; "" means it has none.
func Variant(file, variant string) string {
	if variant == "" {
		return file
	}
	return file + "." + variant
}

func read(name string) string {
	data, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the files are part of the program
	}
	return string(data)
}
