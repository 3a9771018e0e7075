// Package corpus turns files of text into one stream of tokens for training and one for validation.
package corpus

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Document is one text that stands for itself; an end-of-text token follows it in the stream.
type Document struct {
	Text string
	File string
}

// Read collects the documents of the given .txt files and folders (searched recursively), in the
// order of their paths. Inside a file, a form feed on a line of its own ends a document.
func Read(paths []string) ([]Document, error) {
	var files []string
	for _, path := range paths {
		err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !d.IsDir() && (p == path || strings.HasSuffix(p, ".txt")) {
				files = append(files, p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(files, func(a, b string) int {
		return cmp.Or(strings.Compare(filepath.Base(a), filepath.Base(b)), strings.Compare(a, b))
	})
	var docs []Document
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if !utf8.Valid(data) {
			return nil, fmt.Errorf("%s: not UTF-8 text", file)
		}
		for text := range strings.SplitSeq(string(data), "\n\f\n") {
			if text = strings.TrimSpace(text); text != "" {
				docs = append(docs, Document{text, filepath.Base(file)})
			}
		}
	}
	if len(docs) == 0 {
		return nil, fmt.Errorf("no text in %s: expected .txt files, or folders of them", strings.Join(paths, ", "))
	}
	return docs, nil
}

// Split holds out about the given fraction of the documents for validation. A document's side is
// decided by the hash of its text alone, so it never changes when others come or go.
func Split(docs []Document, fraction float64) (train, valid []Document) {
	limit := uint64(fraction * (1 << 32))
	for _, d := range docs {
		sum := sha256.Sum256([]byte(d.Text))
		if uint64(binary.BigEndian.Uint32(sum[:])) < limit {
			valid = append(valid, d)
		} else {
			train = append(train, d)
		}
	}
	return train, valid
}

// Encoder is what turns text into ids; a model/tokenizer Codec is one.
type Encoder interface{ Encode(text string) []int }

// Tokens encodes documents in parallel and joins them, each followed by end unless end is negative.
func Tokens(docs []Document, enc Encoder, end int) []int32 {
	parts := parallel(len(docs), func(i int) []int32 {
		ids := enc.Encode(docs[i].Text)
		out := make([]int32, len(ids), len(ids)+1)
		for j, id := range ids {
			out[j] = int32(id)
		}
		if end >= 0 {
			out = append(out, int32(end))
		}
		return out
	})
	return slices.Concat(parts...)
}

// Bytes is the length of all texts in bytes.
func Bytes(docs []Document) int64 {
	var n int64
	for _, d := range docs {
		n += int64(len(d.Text))
	}
	return n
}
