// Package shaders is the one registry of kernels: WGSL files, expanded for the type that weights are
// stored in and for the shape of a tile. A kernel's bindings are read from its WGSL, so that host and
// shader cannot disagree about them.
package shaders

import (
	"embed"
	"fmt"
	"hash/fnv"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed *.wgsl lib/*.wgsl peak/*.wgsl
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

// Kernel is a complete shader.
type Kernel struct {
	Name     string
	Source   string
	Bindings []Binding
	Features []string // of WebGPU that it needs
}

// Features of a device that variants use.
const (
	FeatureF16       = "shader-f16"
	FeatureSubgroups = "subgroups"
)

// Types that weights come in: F16 is read as pairs packed into integers, which every device can,
// Native as the type itself, which needs FeatureF16.
const (
	F32    = "f32"
	F16    = "f16"
	Native = "native"
)

// Tile is how a workgroup of a matmul shares its work.
type Tile struct {
	Pairs     int  // of outputs that an invocation computes for four rows
	Split     int  // invocations that share the inner dimension
	Lanes     int  // invocations of the workgroup
	Subgroups bool // they add their parts through subgroup operations
}

// Outputs is the number of outputs of one workgroup.
func (t Tile) Outputs() int { return 2 * t.Pairs * t.Lanes / t.Split }

// String is the name of the tile in those of kernels, such as p2s16l64.
func (t Tile) String() string {
	name := fmt.Sprintf("p%ds%dl%d", t.Pairs, t.Split, t.Lanes)
	if t.Subgroups {
		name += "g"
	}
	return name
}

// valid tells whether the kernels can be expanded for the tile.
func (t Tile) valid() bool {
	return t.Pairs > 0 && t.Split > 0 && t.Lanes%t.Split == 0 && t.Lanes&(t.Lanes-1) == 0 && t.Split&(t.Split-1) == 0 &&
		(t.Split == 1 || 2*t.Pairs*t.Lanes <= t.held())
}

// held is the number of vectors of x in workgroup memory. Much of it means fewer barriers, but drivers
// that run on a processor compile it slowly, for they write out how it is cleared.
func (t Tile) held() int {
	if t.Split == 1 {
		return 128
	}
	return 512
}

// Tiles are the shapes to choose from on a device. Few lanes, many outputs and no split suit processors
// that stand in for a GPU, which take long to compile and are measured with the first few; a split
// reads memory in the order that GPUs like.
var Tiles = []Tile{
	{Pairs: 16, Split: 1, Lanes: 4},
	{Pairs: 8, Split: 1, Lanes: 8},
	{Pairs: 4, Split: 1, Lanes: 16},
	{Pairs: 2, Split: 8, Lanes: 64},
	{Pairs: 2, Split: 4, Lanes: 64, Subgroups: true},
	{Pairs: 2, Split: 16, Lanes: 64},
	{Pairs: 4, Split: 8, Lanes: 64},
	{Pairs: 4, Split: 4, Lanes: 64, Subgroups: true},
	{Pairs: 1, Split: 16, Lanes: 128},
	{Pairs: 1, Split: 32, Lanes: 64},
	{Pairs: 4, Split: 1, Lanes: 32},
	{Pairs: 2, Split: 1, Lanes: 64},
}

// kernel is one file.
type kernel struct {
	weights bool // it comes for each type of weights
	tiled   bool // it comes in each tile
	headed  bool // it comes for each width of attention heads
}

var kernels = map[string]kernel{
	"embed":  {weights: true},
	"qkv":    {weights: true, tiled: true},
	"attend": {headed: true},
	"matmul": {weights: true, tiled: true},
	"expand": {weights: true, tiled: true},
	"head":   {weights: true, tiled: true},
	"draw":   {},
	"reveal": {},
}

// normalised lists the kernels whose input goes through LayerNorm first.
var normalised = []string{"qkv", "expand", "head"}

// Names returns the files of the registry in alphabetical order.
func Names() []string {
	var out []string
	for name := range kernels {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Variant is the name of a kernel for a type of weights and a tile; kernels that have no such variants
// go by their file's name. quads is the width of an attention head in vectors of four.
func Variant(file, weights string, tile Tile, quads int) string {
	k := kernels[file]
	if k.weights {
		file += "." + weights
	}
	if k.tiled {
		file += "." + tile.String()
	}
	if k.headed {
		file += fmt.Sprintf(".h%dl%d", 4*quads, attendLanes(tile, quads))
	}
	return file
}

// attendLanes is the size of attend's workgroups: few lanes where a processor stands in for a GPU, as
// tiles without a split tell, for there a barrier costs by the lane; not fewer than share a value.
func attendLanes(tile Tile, quads int) int {
	lanes := 64
	if tile.Split <= 1 {
		lanes = 16
	}
	for lanes < quads/(2-quads%2) {
		lanes *= 2
	}
	return lanes
}

// stored is what four weights are stored as, by type.
var stored = map[string]string{F32: "vec4<f32>", F16: "vec2<u32>", Native: "vec4<f16>"}

// ParseTile reads what String writes.
func ParseTile(text string) (Tile, error) {
	i := slices.IndexFunc(Tiles, func(t Tile) bool { return t.String() == text })
	if i < 0 {
		names := make([]string, len(Tiles))
		for i, t := range Tiles {
			names[i] = t.String()
		}
		return Tile{}, fmt.Errorf("no tile %q, expected one of %s", text, strings.Join(names, ", "))
	}
	return Tiles[i], nil
}

// Hash identifies the text of all kernels.
func Hash() string {
	h := fnv.New64a()
	for _, dir := range []string{".", "lib"} {
		entries, err := files.ReadDir(dir)
		if err != nil {
			panic(err) // the files are part of the program
		}
		for _, e := range entries {
			if !e.IsDir() {
				io.WriteString(h, read(path.Join(dir, e.Name())))
			}
		}
	}
	return strconv.FormatUint(h.Sum64(), 16)
}

// Build expands a kernel for a type of weights, a tile and a width of attention heads; they may be zero
// where it has no such variants.
func Build(file, weights string, tile Tile, quads int) Kernel {
	kind, ok := kernels[file]
	if !ok || kind.weights && stored[weights] == "" || kind.tiled && !tile.valid() || kind.headed && (quads < 1 || quads > 64) {
		panic(fmt.Sprintf("shaders: no kernel %s of weights %q in tile %v", file, weights, tile))
	}
	k := Kernel{Name: Variant(file, weights, tile, quads)}
	set := map[string]string{
		"WEIGHT": stored[weights], "PAIRS": strconv.Itoa(tile.Pairs), "LANES": strconv.Itoa(tile.Lanes), "SPLIT": strconv.Itoa(tile.Split),
		"HELD": strconv.Itoa(tile.held()), "QUADS": strconv.Itoa(quads), "PARTS": strconv.Itoa(2 - quads%2),
	}
	if kind.headed {
		set["LANES"] = strconv.Itoa(attendLanes(tile, quads))
	}
	flags := map[string]bool{"NORM": slices.Contains(normalised, file), "SPLIT": tile.Split > 1, "SUBGROUPS": kind.tiled && tile.Subgroups}
	enable := ""
	if kind.weights && weights == Native {
		k.Features, enable = append(k.Features, FeatureF16), "enable f16;\n"
	}
	if flags["SUBGROUPS"] {
		k.Features, enable = append(k.Features, FeatureSubgroups), enable+"enable subgroups;\n"
	}
	x := expander{weights: weights, set: set, flags: flags}
	k.Source = enable + x.expand(read(file+".wgsl"))
	k.Bindings = bindings(file, k.Source)
	return k
}

// Peak expands a kernel that measures an adapter rather than computing a model: matmul or read.
func Peak(file string) Kernel {
	x := expander{}
	k := Kernel{Name: "peak." + file, Source: x.expand(read("peak/" + file + ".wgsl"))}
	k.Bindings = bindings(file, k.Source)
	return k
}

// bindings reads the bindings of a kernel, which are numbered in order.
func bindings(file, source string) []Binding {
	var out []Binding
	for _, line := range strings.Split(source, "\n") {
		rest, ok := strings.CutPrefix(line, fmt.Sprintf("@group(0) @binding(%d) var<", len(out)))
		if !ok {
			if strings.HasPrefix(line, "@group") {
				panic(fmt.Sprintf("%s.wgsl: %q is out of order, expected binding %d", file, line, len(out)))
			}
			continue
		}
		access, rest, _ := strings.Cut(rest, "> ")
		name, _, _ := strings.Cut(rest, ":")
		out = append(out, Binding{name, accesses[access]})
	}
	return out
}

var accesses = map[string]Access{"uniform": Uniform, "storage, read": Read, "storage, read_write": ReadWrite}

func read(name string) string {
	data, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the files are part of the program
	}
	return string(data)
}
