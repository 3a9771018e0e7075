// Package pack writes a model as a pack: beside its destination, verified by reading it back, then
// renamed into place.
package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/atomicdir"
	"github.com/unmask-lm/unmask/model/safetensors"
	"github.com/unmask-lm/unmask/model/tensor"
	"github.com/unmask-lm/unmask/model/tokenizer"
)

// TensorSource yields the values of a model's tensors by their names in a pack.
type TensorSource interface {
	Float32s(name string) []float32
}

// Model is everything that goes into a pack.
type Model struct {
	Config    model.Config
	Tensors   TensorSource
	Tokenizer []byte         // tokenizer.json, or nil
	Manifest  model.Manifest // Files, Block and Mask are filled in
	ShardSize int64          // bytes; 0 means model.MaxShard
}

// Write writes m to dir, whole or not at all.
func Write(ctx context.Context, dir string, m *Model, existing atomicdir.Existing) error {
	return atomicdir.Write(dir, existing, func(tmp string) error {
		if err := m.fill(tmp); err != nil {
			return err
		}
		if _, err := model.Open(ctx, model.Dir(tmp), nil); err != nil {
			return fmt.Errorf("reading back: %w", err)
		}
		return nil
	})
}

func (m *Model) fill(dir string) error {
	config, err := json.MarshalIndent(m.Config, "", "  ")
	if err != nil {
		return err
	}
	files := map[string][]byte{model.ConfigFile: append(config, '\n')}
	if m.Tokenizer != nil {
		files[model.TokenizerFile] = m.Tokenizer
		tok, err := tokenizer.Parse(m.Tokenizer)
		if err == nil {
			if files[model.VocabularyFile], err = tok.MarshalBinary(); err != nil {
				return err
			}
		} else if !errors.Is(err, tokenizer.ErrUnsupported) {
			return fmt.Errorf("%s: %w", model.TokenizerFile, err)
		}
	}
	manifest := m.Manifest
	manifest.Files = map[string]model.FileInfo{}
	manifest.Block, manifest.Mask = m.Config.Block, m.Config.Mask
	write := func(name string, data []byte) error {
		sum := sha256.Sum256(data)
		manifest.Files[name] = model.FileInfo{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))}
		return os.WriteFile(filepath.Join(dir, name), data, 0o644)
	}
	for name, data := range files {
		if err := write(name, data); err != nil {
			return err
		}
	}
	if err := m.writeShards(write); err != nil {
		return err
	}
	text, err := manifest.Marshal()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, model.ManifestFile), text, 0o644)
}

// writeShards writes the weights, and their index where there is more than one file.
func (m *Model) writeShards(write func(name string, data []byte) error) error {
	limit := m.ShardSize
	if limit == 0 {
		limit = model.MaxShard
	}
	shards := split(m.parts(limit), limit)
	index := map[string]string{}
	var total int64
	for i, tensors := range shards {
		name := "model.safetensors"
		if len(shards) > 1 {
			name = fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(shards))
		}
		var b bytes.Buffer
		if err := safetensors.Write(&b, tensors, map[string]string{"format": "pt"}); err != nil {
			return err
		}
		if err := write(name, b.Bytes()); err != nil {
			return err
		}
		for _, t := range tensors {
			index[t.Name] = name
			total += t.Bytes()
		}
	}
	if len(shards) == 1 {
		return nil
	}
	text, err := json.MarshalIndent(map[string]any{"metadata": map[string]any{"total_size": total}, "weight_map": index}, "", "  ")
	if err != nil {
		return err
	}
	return write(model.IndexFile, text)
}

// headerRoom is left in a shard for its header.
const headerRoom = 1 << 20

// parts lists the tensors to be stored, those larger than a shard cut into runs of whole rows.
func (m *Model) parts(limit int64) []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, spec := range m.Config.Tensors() {
		dtype := tensor.F32
		if spec.Matrix() && m.Manifest.Quantization == "f16" {
			dtype = tensor.F16
		}
		whole := safetensors.Tensor{Name: spec.Name, DType: dtype, Shape: spec.Shape}
		rows := spec.Shape[0]
		if whole.Bytes() > budget(limit) {
			rows = max(1, int(budget(limit)/(whole.Bytes()/int64(rows))))
		}
		for row := 0; row < spec.Shape[0]; row += rows {
			part := whole
			part.Shape = append([]int(nil), spec.Shape...)
			part.Shape[0] = min(rows, spec.Shape[0]-row)
			width := spec.Size() / spec.Shape[0]
			from, to := row*width, (row+part.Shape[0])*width
			part.Data = func() ([]byte, error) {
				return tensor.Encode(dtype, make([]byte, 0, part.Bytes()), m.Tensors.Float32s(spec.Name)[from:to]), nil
			}
			if rows < spec.Shape[0] {
				part.Name = model.PartName(spec.Name, row)
			}
			out = append(out, part)
		}
	}
	return out
}

func budget(limit int64) int64 { return max(1, limit-min(headerRoom, limit/4)) }

// split deals tensors out to shards in order.
func split(tensors []safetensors.Tensor, limit int64) [][]safetensors.Tensor {
	var out [][]safetensors.Tensor
	var size int64
	for _, t := range tensors {
		if len(out) == 0 || size+t.Bytes() > budget(limit) {
			out, size = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], t)
		size += t.Bytes()
	}
	return out
}
