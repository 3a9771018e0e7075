package shaders

import (
	"strconv"
	"strings"
)

// expander carries out the directives of a WGSL file, each a comment on a line of its own:
//
//	//#import NAME          the file lib/NAME.wgsl; weights is that of the type of weights
//	//#for v N … //#end     the lines N times, with $v replaced by 0 to N-1
//	//#if FLAG … //#else … //#end
//
// and replaces names such as PAIRS everywhere.
type expander struct {
	weights string
	set     map[string]string
	flags   map[string]bool
}

func (x *expander) expand(text string) string {
	var b strings.Builder
	x.lines(&b, strings.Split(strings.TrimSuffix(text, "\n"), "\n"))
	return b.String()
}

func (x *expander) lines(b *strings.Builder, lines []string) {
	for i := 0; i < len(lines); i++ {
		directive, ok := strings.CutPrefix(lines[i], "//#")
		if !ok {
			b.WriteString(x.replace(lines[i]))
			b.WriteByte('\n')
			continue
		}
		words := strings.Fields(directive)
		switch words[0] {
		case "import":
			name := words[1]
			if name == "weights" {
				name += "_" + x.weights
			}
			b.WriteString(x.expand(read("lib/" + name + ".wgsl")))
		case "for":
			body, _, end := block(lines, i+1)
			n, err := strconv.Atoi(x.replace(words[2]))
			if err != nil {
				panic(err) // the files are part of the program
			}
			for k := range n {
				var each []string
				for _, line := range body {
					each = append(each, strings.ReplaceAll(line, "$"+words[1], strconv.Itoa(k)))
				}
				x.lines(b, each)
			}
			i = end
		case "if":
			then, otherwise, end := block(lines, i+1)
			if !x.flags[words[1]] {
				then = otherwise
			}
			x.lines(b, then)
			i = end
		default:
			panic("shaders: unknown directive " + lines[i])
		}
	}
}

// block returns the lines up to the directive that ends a block, those behind its else, and where it
// ends.
func block(lines []string, start int) (then, otherwise []string, end int) {
	depth, middle := 0, -1
	for i := start; i < len(lines); i++ {
		switch line := lines[i]; {
		case strings.HasPrefix(line, "//#for"), strings.HasPrefix(line, "//#if"):
			depth++
		case line == "//#else" && depth == 0:
			middle = i
		case line == "//#end" && depth > 0:
			depth--
		case line == "//#end":
			if middle < 0 {
				return lines[start:i], nil, i
			}
			return lines[start:middle], lines[middle+1 : i], i
		}
	}
	panic("shaders: a block without end")
}

func (x *expander) replace(line string) string {
	for from, to := range x.set {
		line = strings.ReplaceAll(line, from, to)
	}
	return line
}
