// Package shards keeps a corpus as tokens on disk: files of ids that are mapped into memory, and a
// manifest that tells what they were made of, so that they are made once.
package shards

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/exp/mmap"
)

const (
	manifestFile = "manifest.json"
	version      = 1
)

// Manifest tells what a folder of shards holds and what it was made of.
type Manifest struct {
	Version   int      `json:"version"`
	Tokenizer string   `json:"tokenizer_sha256"`
	End       int      `json:"end_of_text"` // id behind each document, or -1
	Field     string   `json:"field"`
	Held      float64  `json:"held_out_fraction"`
	Width     int      `json:"bytes_a_token"` // 2 or 4, little-endian
	Sources   []Source `json:"sources"`
	Parts     [2]Part  `json:"parts"` // Train, HeldOut
}

// Source is a file that the corpus came from.
type Source struct {
	Path     string    `json:"path"`
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
	SHA256   string    `json:"sha256"`
}

// Part is one side of the split.
type Part struct {
	Documents int    `json:"documents"`
	Bytes     int64  `json:"bytes"` // of text
	Tokens    int64  `json:"tokens"`
	Files     []File `json:"files"`
}

// File is a shard.
type File struct {
	Name   string `json:"name"`
	Tokens int64  `json:"tokens"`
	SHA256 string `json:"sha256"`
}

// Sides of the split.
const (
	Train = iota
	HeldOut
)

// Set is an opened folder of shards.
type Set struct {
	Manifest
	Train, HeldOut *Tokens
}

// Fingerprint is a hash over all tokens.
func (s *Set) Fingerprint() string {
	h := sha256.New()
	for _, part := range s.Parts {
		for _, f := range part.Files {
			fmt.Fprintln(h, f.SHA256, f.Tokens)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Close unmaps the files.
func (s *Set) Close() error { return errors.Join(s.Train.close(), s.HeldOut.close()) }

// Tokens are the ids of one side, as if they were in one file.
type Tokens struct {
	width int
	files []*mmap.ReaderAt
	buf   []byte
}

// Len is their number.
func (t *Tokens) Len() (n int) {
	for _, f := range t.files {
		n += f.Len() / t.width
	}
	return n
}

// Read copies ids from number at on.
func (t *Tokens) Read(at int, out []int32) error {
	for _, f := range t.files {
		n := f.Len() / t.width
		if at >= n {
			at -= n
			continue
		}
		here := out[:min(len(out), n-at)]
		if cap(t.buf) < len(here)*t.width {
			t.buf = make([]byte, len(here)*t.width)
		}
		b := t.buf[:len(here)*t.width]
		if _, err := f.ReadAt(b, int64(at*t.width)); err != nil {
			return err
		}
		decode(b, t.width, here)
		if out = out[len(here):]; len(out) == 0 {
			return nil
		}
		at = 0
	}
	if len(out) > 0 {
		return fmt.Errorf("shards: %d tokens beyond the end were asked for", len(out))
	}
	return nil
}

func (t *Tokens) close() (err error) {
	for _, f := range t.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

func encode(ids []int32, width int, b []byte) []byte {
	for _, id := range ids {
		b = append(b, byte(id), byte(id>>8))
		if width == 4 {
			b = append(b, byte(id>>16), byte(id>>24))
		}
	}
	return b
}

func decode(b []byte, width int, out []int32) {
	for i := range out {
		p := b[i*width:]
		out[i] = int32(p[0]) | int32(p[1])<<8
		if width == 4 {
			out[i] |= int32(p[2])<<16 | int32(p[3])<<24
		}
	}
}

// open maps the shards of a folder whose manifest is m, and checks their sizes.
func open(dir string, m Manifest) (*Set, error) {
	s := &Set{Manifest: m, Train: &Tokens{width: m.Width}, HeldOut: &Tokens{width: m.Width}}
	for side, into := range []*Tokens{s.Train, s.HeldOut} {
		for _, f := range m.Parts[side].Files {
			mapped, err := mmap.Open(filepath.Join(dir, f.Name))
			if err != nil {
				return nil, errors.Join(err, s.Close())
			}
			into.files = append(into.files, mapped)
			if got := int64(mapped.Len()); got != f.Tokens*int64(m.Width) {
				return nil, errors.Join(fmt.Errorf("%s: %d bytes, expected %d", f.Name, got, f.Tokens*int64(m.Width)), s.Close())
			}
		}
	}
	return s, nil
}

func readManifest(dir string) (m Manifest, err error) {
	data, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(data, &m)
}

// describe is a file as it is now. Its content is hashed only where size and time are not those known.
func describe(path string, known []Source) (Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Source{}, err
	}
	s := Source{Path: path, Bytes: info.Size(), Modified: info.ModTime().UTC()}
	for _, k := range known {
		if k.Path == s.Path && k.Bytes == s.Bytes && k.Modified.Equal(s.Modified) {
			return k, nil
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return s, err
	}
	s.SHA256 = hex.EncodeToString(h.Sum(nil))
	return s, nil
}
