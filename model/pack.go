package model

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/unmask-lm/unmask/model/safetensors"
	"github.com/unmask-lm/unmask/model/sha256"
	"github.com/unmask-lm/unmask/model/tensor"
)

// Pack is an opened, fully verified model: every byte of every file was checked before Open
// returned. It keeps the weights in memory as they are stored.
type Pack struct {
	Config   Config
	Manifest Manifest
	// Tokenizer and Vocabulary are tokenizer.json and its compact form; nil where the pack has none.
	Tokenizer, Vocabulary []byte

	tensors map[string]Tensor
}

// Tensor is a weight as a pack stores it: row-major little-endian values.
type Tensor struct {
	TensorSpec
	DType tensor.DType
	// Parts hold the data in order. A tensor too large for one shard is stored as several runs of
	// whole rows.
	Parts [][]byte
}

// Float32s decodes the tensor.
func (t Tensor) Float32s() []float32 {
	out := make([]float32, t.Size())
	at := 0
	for _, part := range t.Parts {
		n := len(part) / t.DType.Size()
		tensor.Decode(t.DType, part, out[at:at+n])
		at += n
	}
	return out
}

// Files gives access to the files of a pack: a folder, or a place on the network.
type Files interface {
	// ReadFile returns the whole content of a file. limit is the size that is expected, or an upper
	// bound; an implementation need not read beyond limit+1 bytes.
	ReadFile(ctx context.Context, name string, limit int64) ([]byte, error)
}

// Lister is implemented by Files that know which files there are; stray ones are then refused.
type Lister interface {
	List() ([]string, error)
}

// Progress is called as files arrive, with bytes read so far and bytes in all.
type Progress func(done, total int64)

// Open reads a pack and verifies it whole. The error joins everything found wrong, each naming the
// file or tensor. progress may be nil.
func Open(ctx context.Context, files Files, progress Progress) (*Pack, error) {
	text, err := files.ReadFile(ctx, ManifestFile, maxManifest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if len(text) > maxManifest {
		return nil, fmt.Errorf("%s: larger than %d bytes", ManifestFile, maxManifest)
	}
	m, damage := ParseManifest(text)
	if m == nil {
		return nil, damage
	}
	p, err := open(ctx, files, m, progress)
	if err := errors.Join(damage, err); err != nil {
		return nil, err
	}
	return p, nil
}

// open reads and verifies everything that a manifest lists.
func open(ctx context.Context, files Files, m *Manifest, progress Progress) (*Pack, error) {
	p := &Pack{Manifest: *m, tensors: map[string]Tensor{}}
	if err := p.checkStray(files); err != nil {
		return nil, err
	}
	contents, err := readAll(ctx, files, m.Files, progress)
	if err != nil {
		return nil, err
	}
	if p.Config, err = ParseConfig(ConfigFile, contents[ConfigFile]); err != nil {
		return nil, err
	}
	if m.Block != p.Config.Block || m.Mask != p.Config.Mask {
		return nil, fmt.Errorf("%s: block_size %d and mask_id %d, %s has %d and %d", ManifestFile, m.Block, m.Mask, ConfigFile, p.Config.Block, p.Config.Mask)
	}
	for name, id := range map[string]int{"bos_id": m.BOS, "eos_id": m.EOS} {
		if id < NoToken || id >= p.Config.Vocab {
			return nil, fmt.Errorf("%s: %s is %d, expected -1 to %d", ManifestFile, name, id, p.Config.Vocab-1)
		}
	}
	p.Tokenizer, p.Vocabulary = contents[TokenizerFile], contents[VocabularyFile]
	return p, p.readTensors(contents)
}

func (p *Pack) checkStray(files Files) error {
	lister, ok := files.(Lister)
	if !ok {
		return nil
	}
	names, err := lister.List()
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		if _, ok := p.Manifest.Files[name]; !ok && name != ManifestFile {
			errs = append(errs, fmt.Errorf("%s: not listed in %s", name, ManifestFile))
		}
	}
	return errors.Join(errs...)
}

func readAll(ctx context.Context, files Files, want map[string]FileInfo, progress Progress) (map[string][]byte, error) {
	var total, done int64
	for _, f := range want {
		total += f.Size
	}
	if progress != nil {
		progress(0, total)
	}
	contents := map[string][]byte{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := files.ReadFile(ctx, name, want[name].Size)
		if err == nil {
			err = want[name].verify(data)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		contents[name] = data
		if done += int64(len(data)); progress != nil {
			progress(done, total)
		}
	}
	return contents, errors.Join(errs...)
}

func (f FileInfo) verify(data []byte) error {
	if int64(len(data)) != f.Size {
		return fmt.Errorf("%d bytes, expected %d", len(data), f.Size)
	}
	if got := sha256.Hex(data); got != f.SHA256 {
		return fmt.Errorf("sha256 is %s, expected %s: the file was changed or damaged", got, f.SHA256)
	}
	return nil
}

// Tensor returns a weight by its name; the pack holds exactly those of Config.Tensors.
func (p *Pack) Tensor(name string) Tensor {
	t, ok := p.tensors[name]
	if !ok {
		panic("model: no tensor " + name + " in this architecture")
	}
	return t
}

// Bytes is the size of all weights as stored.
func (p *Pack) Bytes() int64 {
	var n int64
	for _, t := range p.tensors {
		for _, part := range t.Parts {
			n += int64(len(part))
		}
	}
	return n
}

func (p *Pack) readTensors(contents map[string][]byte) error {
	stored := map[string]storedTensor{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		if !isShard(name) {
			continue
		}
		header, data, err := safetensors.Split(contents[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		for _, e := range header.Entries {
			if other, ok := stored[e.Name]; ok {
				errs = append(errs, fmt.Errorf("%s: tensor %q is in %s already", name, e.Name, other.file))
				continue
			}
			stored[e.Name] = storedTensor{e, name, data[e.Begin:e.End]}
		}
	}
	for _, spec := range p.Config.Tensors() {
		t, err := assemble(spec, p.dtypeOf(spec), stored)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		p.tensors[spec.Name] = t
	}
	for name, s := range stored {
		errs = append(errs, fmt.Errorf("%s: unexpected tensor %q", s.file, name))
	}
	return errors.Join(errs...)
}

func (p *Pack) dtypeOf(spec TensorSpec) tensor.DType {
	if spec.Matrix() && p.Manifest.Quantization == "f16" {
		return tensor.F16
	}
	return tensor.F32
}
