package model

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/unmask-lm/unmask/model/sha256"
	"github.com/unmask-lm/unmask/model/strictjson"
)

// Names of the files of a pack beside its weights.
const (
	ManifestFile   = "unmask.json"
	ConfigFile     = "config.json"
	TokenizerFile  = "tokenizer.json"
	VocabularyFile = "vocabulary.bin" // the tokenizer again, compact: see model/tokenizer
	IndexFile      = "model.safetensors.index.json"
)

const (
	manifestFormat  = "unmask-pack"
	manifestVersion = 1
	maxManifest     = 1 << 20

	// MaxShard bounds a file of weights, so that a browser can fetch, verify and upload one at a
	// time with little memory.
	MaxShard = 64 << 20
)

// NoToken stands for a special token that a model does not have.
const NoToken = -1

// Manifest is the unmask.json of a pack: what every other file must be, and how the model is used.
type Manifest struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	// Checksum is the sha256 of unmask.json itself with these 64 digits written as zeros.
	Checksum     string              `json:"manifest_sha256"`
	Files        map[string]FileInfo `json:"files"`
	Quantization string              `json:"quantization"` // f32 or f16
	Block        int                 `json:"block_size"`
	Mask         int                 `json:"mask_id"`
	BOS          int                 `json:"bos_id"` // or NoToken
	EOS          int                 `json:"eos_id"` // or NoToken
	Sampling     Sampling            `json:"sampling"`
	Provenance   Provenance          `json:"provenance"`
}

// FileInfo is what a file of the pack must be.
type FileInfo struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Sampling holds the options used where a request names none.
type Sampling struct {
	Policy      string  `json:"policy"`
	Temperature float64 `json:"temperature"`
	TopP        float64 `json:"top_p"`
	MaxTokens   int     `json:"max_tokens"`
	EntropyStop float64 `json:"entropy_stop"` // nats; 0 switches the low-entropy stop off
}

// Provenance says where the weights come from.
type Provenance struct {
	Source            string   `json:"source,omitempty"`  // what was converted
	Recipe            string   `json:"recipe,omitempty"`  // command that trains it
	Corpus            []Corpus `json:"corpus,omitempty"`  // texts it was trained on
	License           string   `json:"license,omitempty"` // of the weights
	Steps             int      `json:"steps,omitempty"`   // optimiser steps
	Tokens            int64    `json:"tokens,omitempty"`  // tokens seen in training
	Device            string   `json:"device,omitempty"`
	HeldOutNELBO      float64  `json:"held_out_nelbo,omitempty"`         // nats a token
	HeldOutBitsByte   float64  `json:"held_out_bits_per_byte,omitempty"` // the same bound a byte of text
	HeldOutBytes      int64    `json:"held_out_bytes,omitempty"`
	HeldOutXZBitsByte float64  `json:"held_out_xz_bits_per_byte,omitempty"` // xz -9e on the same text
}

// Corpus is one text of the training mix.
type Corpus struct {
	Name    string `json:"name"`
	License string `json:"license"`
	Origin  string `json:"origin,omitempty"`
	Bytes   int64  `json:"bytes,omitempty"`
}

var checksumKey = []byte(`"manifest_sha256": "`)

// Marshal writes the manifest with its checksum.
func (m *Manifest) Marshal() ([]byte, error) {
	c := *m
	c.Format, c.Version = manifestFormat, manifestVersion
	c.Checksum = strings.Repeat("0", 2*sha256.Size)
	data, err := strictjson.MarshalIndent(c)
	if err != nil {
		return nil, err
	}
	data = append(data, '\n')
	sum, at := manifestChecksum(data)
	copy(data[at:], sum)
	return data, nil
}

// manifestChecksum hashes data with the digits of its checksum blanked, and says where they stand;
// at is -1 if there are none.
func manifestChecksum(data []byte) (sum string, at int) {
	i := bytes.Index(data, checksumKey)
	if i < 0 || i+len(checksumKey)+2*sha256.Size > len(data) {
		return "", -1
	}
	at = i + len(checksumKey)
	blank := bytes.Clone(data)
	copy(blank[at:], strings.Repeat("0", 2*sha256.Size))
	return sha256.Hex(blank), at
}

// ErrManifestChecksum is wrapped when an unmask.json is not what its checksum says.
var ErrManifestChecksum = errors.New("it was changed or damaged")

// ParseManifest reads and validates an unmask.json, its checksum included. Where nothing but the
// checksum is wrong, the manifest comes with the error, so that what was changed can be named too.
func ParseManifest(data []byte) (*Manifest, error) {
	var m Manifest
	if err := strictjson.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if err := m.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if sum, at := manifestChecksum(data); at < 0 || sum != m.Checksum {
		return &m, fmt.Errorf("%s: manifest_sha256 is %s, the file's own is %s: %w", ManifestFile, m.Checksum, sum, ErrManifestChecksum)
	}
	return &m, nil
}

func (m *Manifest) validate() error {
	if m.Format != manifestFormat {
		return fmt.Errorf("format is %q, expected %q", m.Format, manifestFormat)
	}
	if m.Version != manifestVersion {
		return fmt.Errorf("version is %d, this program reads %d; convert the model again", m.Version, manifestVersion)
	}
	if m.Quantization != "f32" && m.Quantization != "f16" {
		return fmt.Errorf("quantization is %q, expected f32 or f16", m.Quantization)
	}
	for _, name := range []string{ConfigFile} {
		if _, ok := m.Files[name]; !ok {
			return fmt.Errorf("files lists no %s", name)
		}
	}
	for name, f := range m.Files {
		if name == "" || name != path.Base(name) || strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\`) || name == ManifestFile {
			return fmt.Errorf("files: %q is no plain file name", name)
		}
		if f.Size < 0 || (isShard(name) && f.Size > MaxShard) {
			return fmt.Errorf("files: %s: size %d, expected 0 to %d", name, f.Size, MaxShard)
		}
		if raw, err := hex.DecodeString(f.SHA256); err != nil || len(raw) != sha256.Size {
			return fmt.Errorf("files: %s: %q is no sha256", name, f.SHA256)
		}
	}
	return nil
}

func isShard(name string) bool { return strings.HasSuffix(name, ".safetensors") }
