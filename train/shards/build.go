package shards

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/unmask-lm/unmask/model/atomicdir"
	"github.com/unmask-lm/unmask/train/corpus"
)

// maxTokens bounds a shard.
const maxTokens = 64 << 20

// batchBytes is about how much text is tokenised at a time by one processor.
const batchBytes = 1 << 18

// Encoder turns text into ids; a model/tokenizer Codec is one.
type Encoder interface {
	Encode(text string) []int
	Size() int
}

// Recipe is what shards are made of.
type Recipe struct {
	Files     []string
	Field     string
	Tokenizer []byte // the file whose hash the manifest keeps
	Encoder   Encoder
	End       int     // id behind each document, or -1
	Held      float64 // share of documents held out
}

// Open returns the shards of dir where they are what the recipe would make; otherwise it makes them. fresh
// tells that it did.
func Open(ctx context.Context, dir string, r Recipe) (s *Set, fresh bool, err error) {
	sum := sha256.Sum256(r.Tokenizer)
	want := Manifest{Version: version, Tokenizer: hex.EncodeToString(sum[:]), End: r.End, Field: r.Field, Held: r.Held, Width: 2}
	if r.Encoder.Size() > 1<<16 {
		want.Width = 4
	}
	known, err := readManifest(dir)
	if err != nil {
		known = Manifest{} // there is none, or it is unreadable: made anew
	}
	for _, path := range r.Files {
		source, err := describe(path, known.Sources)
		if err != nil {
			return nil, false, err
		}
		want.Sources = append(want.Sources, source)
	}
	if want.sameAs(&known) {
		if s, err := open(dir, known); err == nil {
			return s, false, nil
		}
	}
	err = atomicdir.Write(dir, atomicdir.Replace, func(tmp string) error { return build(ctx, tmp, r, &want) })
	if err != nil {
		return nil, false, err
	}
	s, err = open(dir, want)
	return s, true, err
}

// sameAs tells whether shards of the two manifests hold the same tokens.
func (m *Manifest) sameAs(other *Manifest) bool {
	return m.Version == other.Version && m.Tokenizer == other.Tokenizer && m.End == other.End && m.Field == other.Field &&
		m.Held == other.Held && m.Width == other.Width &&
		slices.EqualFunc(m.Sources, other.Sources, func(a, b Source) bool {
			return a.SHA256 == b.SHA256 && filepath.Base(a.Path) == filepath.Base(b.Path)
		})
}

func build(ctx context.Context, dir string, r Recipe, m *Manifest) error {
	out := [2]*writer{{dir: dir, name: "train", width: m.Width}, {dir: dir, name: "held", width: m.Width}}
	err := tokenise(ctx, r, func(d document) error { return out[d.side].add(d) })
	for side, w := range out {
		if closing := w.close(); err == nil {
			err = closing
		}
		m.Parts[side] = w.part
	}
	if err != nil {
		return err
	}
	if m.Parts[Train].Documents+m.Parts[HeldOut].Documents == 0 {
		return fmt.Errorf("no text in %v", r.Files)
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, manifestFile), append(data, '\n'), 0o644)
}

// document is a text as tokens.
type document struct {
	ids   []int32
	bytes int
	side  int
}

// tokenise hands every document to f, in order, while all processors work ahead.
func tokenise(ctx context.Context, r Recipe, f func(document) error) error {
	group, ctx := errgroup.WithContext(ctx)
	pending := make(chan chan []document, 2*runtime.GOMAXPROCS(0)) // batches in order, some not yet done
	workers := errgroup.Group{}
	workers.SetLimit(runtime.GOMAXPROCS(0))
	group.Go(func() error {
		defer close(pending)
		var texts []string
		size := 0
		flush := func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			batch, done := texts, make(chan []document, 1)
			texts, size = nil, 0
			select {
			case pending <- done:
			case <-ctx.Done():
				return ctx.Err()
			}
			workers.Go(func() error { done <- encodeAll(r, batch); return nil })
			return nil
		}
		for _, file := range r.Files {
			err := corpus.Documents(file, r.Field, func(text string) error {
				texts = append(texts, text)
				if size += len(text); size >= batchBytes {
					return flush()
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return flush()
	})
	group.Go(func() error {
		for done := range pending {
			for _, d := range <-done {
				if err := f(d); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return group.Wait()
}

func encodeAll(r Recipe, texts []string) []document {
	out := make([]document, len(texts))
	for i, text := range texts {
		ids := r.Encoder.Encode(text)
		d := document{ids: make([]int32, 0, len(ids)+1), bytes: len(text)}
		for _, id := range ids {
			d.ids = append(d.ids, int32(id))
		}
		if r.End >= 0 {
			d.ids = append(d.ids, int32(r.End))
		}
		if corpus.HeldOut(text, r.Held) {
			d.side = HeldOut
		}
		out[i] = d
	}
	return out
}

// writer writes the shards of one side.
type writer struct {
	dir, name string
	width     int
	part      Part

	file  *os.File
	buf   *bufio.Writer
	hash  hash.Hash
	bytes []byte
}

func (w *writer) add(d document) error {
	if w.file == nil || w.part.Files[len(w.part.Files)-1].Tokens+int64(len(d.ids)) > maxTokens {
		if err := w.next(); err != nil {
			return err
		}
	}
	w.bytes = encode(d.ids, w.width, w.bytes[:0])
	w.part.Documents++
	w.part.Bytes += int64(d.bytes)
	w.part.Tokens += int64(len(d.ids))
	w.part.Files[len(w.part.Files)-1].Tokens += int64(len(d.ids))
	_, err := w.buf.Write(w.bytes)
	return err
}

func (w *writer) next() error {
	if err := w.close(); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%05d.bin", w.name, len(w.part.Files))
	f, err := os.Create(filepath.Join(w.dir, name))
	if err != nil {
		return err
	}
	w.file, w.hash = f, sha256.New()
	w.buf = bufio.NewWriterSize(io.MultiWriter(f, w.hash), 1<<20)
	w.part.Files = append(w.part.Files, File{Name: name})
	return nil
}

func (w *writer) close() error {
	if w.file == nil {
		return nil
	}
	if err := w.buf.Flush(); err != nil {
		w.file.Close()
		return err
	}
	w.part.Files[len(w.part.Files)-1].SHA256 = hex.EncodeToString(w.hash.Sum(nil))
	err := w.file.Close()
	w.file = nil
	return err
}
