package source

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/fold"
	"github.com/unmask-lm/unmask/model/safetensors"
	"github.com/unmask-lm/unmask/model/strictjson"
)

// openHub reads a folder in the layout of kuleshov-group/bd3lm-owt.
func openHub(dir string) (*Source, error) {
	path := filepath.Join(dir, model.ConfigFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var c model.HubConfig
	if err := strictjson.UnmarshalKnown(text, &c); err != nil { // unknown fields are the exporter's business
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	weights, err := readHub(dir, &c)
	if err != nil {
		return nil, err
	}
	s := &Source{BOS: model.NoToken, EOS: model.NoToken}
	if s.Tokenizer, err = optional(dir, model.TokenizerFile); err != nil {
		return nil, err
	}
	s.Config = c.Folded(c.VocabSize - 1)
	s.Provenance.Source = c.ModelType + " checkpoint"
	s.tensors = fold.Fold(&c, weights)
	return s, nil
}

// readHub reads every parameter, out of one file or the shards that an index names.
func readHub(dir string, c *model.HubConfig) (map[string][]float32, error) {
	names, err := weightFiles(dir)
	if err != nil {
		return nil, err
	}
	files := map[string]*safetensors.File{}
	in := map[string]string{} // tensor -> file
	var errs []error
	for _, name := range names {
		f, err := safetensors.Open(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		files[name] = f
		for _, e := range f.Entries {
			if other, ok := in[e.Name]; ok {
				errs = append(errs, fmt.Errorf("%s: tensor %q is in %s already", name, e.Name, other))
			}
			in[e.Name] = name
		}
	}
	out := map[string][]float32{}
	for _, spec := range c.Tensors() {
		file, ok := in[spec.Name]
		if !ok {
			errs = append(errs, fmt.Errorf("tensor %q is missing, expected shape %v", spec.Name, spec.Shape))
			continue
		}
		delete(in, spec.Name)
		if e, _ := files[file].Lookup(spec.Name); !slices.Equal(e.Shape, spec.Shape) {
			errs = append(errs, fmt.Errorf("%s: tensor %q has shape %v, expected %v", file, spec.Name, e.Shape, spec.Shape))
			continue
		}
		if out[spec.Name], err = files[file].Float32s(spec.Name); err != nil {
			errs = append(errs, err)
		}
	}
	for _, name := range model.HubBuffers() {
		delete(in, name)
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		errs = append(errs, fmt.Errorf("%s: unexpected tensor %q", in[name], name))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("%s: %w", dir, errors.Join(errs...))
	}
	return out, nil
}

// weightFiles lists the safetensors files of a Hub folder.
func weightFiles(dir string) ([]string, error) {
	const single = "model.safetensors"
	text, err := optional(dir, model.IndexFile)
	if err != nil || text == nil {
		return []string{single}, err
	}
	var index struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := strictjson.UnmarshalKnown(text, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, model.IndexFile), err)
	}
	files := map[string]bool{}
	for tensor, file := range index.Map {
		if file != filepath.Base(file) {
			return nil, fmt.Errorf("%s: tensor %q is in %q, which is no plain file name", filepath.Join(dir, model.IndexFile), tensor, file)
		}
		files[file] = true
	}
	return slices.Sorted(maps.Keys(files)), nil
}
