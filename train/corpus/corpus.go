// Package corpus reads documents from files: plain text, lines of JSON, and Parquet tables.
package corpus

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Extensions of the files that folders are searched for.
var extensions = []string{".txt", ".jsonl", ".ndjson", ".parquet"}

// DefaultField is the field of a JSON line, or the column of a table, that holds a document.
const DefaultField = "text"

// maxLine bounds a line of JSON.
const maxLine = 256 << 20

// Files lists the given files, and those of the given folders (searched recursively), in the order of
// their names.
func Files(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !d.IsDir() && (p == path || slices.Contains(extensions, filepath.Ext(p))) {
				files = append(files, p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no text in %s: expected files, or folders of %s", strings.Join(paths, ", "), strings.Join(extensions, ", "))
	}
	slices.SortFunc(files, func(a, b string) int {
		return cmp.Or(strings.Compare(filepath.Base(a), filepath.Base(b)), strings.Compare(a, b))
	})
	return files, nil
}

// Documents calls f with each document of a file, in order, until f returns an error. field names what
// holds a document in JSON lines and tables.
func Documents(file, field string, f func(text string) error) error {
	visit := func(text string) error {
		if !utf8.ValidString(text) {
			return errors.New("not UTF-8 text")
		}
		if text = strings.TrimSpace(text); text == "" {
			return nil
		}
		return f(text)
	}
	var err error
	switch filepath.Ext(file) {
	case ".jsonl", ".ndjson":
		err = jsonLines(file, field, visit)
	case ".parquet":
		err = table(file, field, visit)
	default:
		err = plain(file, visit)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// plain reads a text file, in which a form feed on a line of its own ends a document.
func plain(file string, f func(string) error) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for text := range strings.SplitSeq(string(data), "\n\f\n") {
		if err := f(text); err != nil {
			return err
		}
	}
	return nil
}

func jsonLines(file, field string, f func(string) error) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<16), maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var record map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		var text *string
		if err := json.Unmarshal(record[field], &text); err != nil || text == nil {
			return fmt.Errorf("line %d: field %q holds no text", n, field)
		}
		if err := f(*text); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// HeldOut decides by the hash of its text alone whether a document is for validation, so that its side
// never changes when others come or go.
func HeldOut(text string, fraction float64) bool {
	h := sha256.New()
	_, _ = io.WriteString(h, text)
	return uint64(binary.BigEndian.Uint32(h.Sum(nil))) < uint64(fraction*(1<<32))
}
