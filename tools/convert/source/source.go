// Package source reads checkpoints of the model families that convert knows, one file a family, as
// the folded tensors of a pack.
package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/unmask-lm/unmask/model"
)

// Source is an opened checkpoint.
type Source struct {
	Config     model.Config
	Tokenizer  []byte // tokenizer.json, or nil
	BOS, EOS   int    // or model.NoToken
	Provenance model.Provenance

	tensors map[string][]float32
}

// Float32s returns a tensor of Config.Tensors.
func (s *Source) Float32s(name string) []float32 { return s.tensors[name] }

// Open reads the checkpoint in dir. A trainer's checkpoint is a Hub folder with more beside it. The
// error lists everything that is missing, unexpected or misshapen.
func Open(dir string) (*Source, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: not a folder; expected one with config.json and model.safetensors", dir)
	}
	s, err := openHub(dir)
	if err != nil {
		return nil, err
	}
	return s, s.addTrainer(dir)
}

// optional reads a file that may be missing.
func optional(dir, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return data, err
}
