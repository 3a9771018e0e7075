package pack_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/atomicdir"
	"github.com/unmask-lm/unmask/model/safetensors"
	"github.com/unmask-lm/unmask/model/safetensors/edit"
	"github.com/unmask-lm/unmask/model/tensor"
	"github.com/unmask-lm/unmask/tools/convert/pack"
	"github.com/unmask-lm/unmask/train/vocabulary"
)

var config = model.Config{
	ModelType: model.ModelType, Vocab: 300, Hidden: 8, Layers: 2, Heads: 2, Inner: 32,
	Window: 16, Block: 4, Mask: 299, NormEps: 1e-5, RopeBase: 10000,
}

type values map[string][]float32

func (v values) Float32s(name string) []float32 { return v[name] }

func randomValues() values {
	rng := rand.New(rand.NewPCG(1, 2))
	v := values{}
	for _, s := range config.Tensors() {
		x := make([]float32, s.Size())
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		v[s.Name] = x
	}
	return v
}

func modelOf(t *testing.T, quantization string) *pack.Model {
	t.Helper()
	text := strings.Repeat("the cat sat on the mat and then the dog sat on the cat. ", 20)
	tok, err := vocabulary.Learn([]string{text}, 270)
	require.NoError(t, err)
	return &pack.Model{
		Config: config, Tensors: randomValues(), Tokenizer: tok,
		Manifest: model.Manifest{Quantization: quantization, BOS: model.NoToken, EOS: model.NoToken},
	}
}

func write(t *testing.T, m *pack.Model) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pack")
	require.NoError(t, pack.Write(context.Background(), dir, m, atomicdir.Refuse))
	return dir
}

func open(dir string) (*model.Pack, error) {
	return model.Open(context.Background(), model.Dir(dir), nil)
}

// What is written comes back, whole and in shards, those smaller than a tensor among them.
func TestRoundTrip(t *testing.T) {
	for _, quantization := range []string{"f32", "f16"} {
		for _, shard := range []int64{0, 12_000, 4_000, 300} {
			t.Run(fmt.Sprintf("%s-%d", quantization, shard), func(t *testing.T) {
				m := modelOf(t, quantization)
				m.ShardSize = shard
				dir := write(t, m)
				p, err := open(dir)
				require.NoError(t, err)
				require.Equal(t, config, p.Config)
				require.NotNil(t, p.Vocabulary)
				for _, s := range config.Tensors() {
					want := m.Tensors.Float32s(s.Name)
					if quantization == "f16" && s.Matrix() {
						want, err = tensor.Float32s(tensor.F16, tensor.Encode(tensor.F16, nil, want))
						require.NoError(t, err)
					}
					require.Equal(t, want, p.Tensor(s.Name).Float32s(), s.Name)
				}
				files, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
				require.NoError(t, err)
				require.Equal(t, shard == 0, len(files) == 1)
				require.Panics(t, func() { p.Tensor("no such tensor") })
			})
		}
	}
}

// A flipped bit anywhere, in any file, is refused, and the error names the file.
func TestEveryByteIsVerified(t *testing.T) {
	m := modelOf(t, "f16")
	m.ShardSize = 6_000
	dir := write(t, m)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Greater(t, len(entries), 5)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		good, err := os.ReadFile(path)
		require.NoError(t, err)
		positions := []int{0, len(good) - 1}
		for i := range good {
			if e.Name() == model.ManifestFile || rng.IntN(len(good)) < 40 {
				positions = append(positions, i)
			}
		}
		for _, at := range positions {
			bad := bytes.Clone(good)
			bad[at] ^= 1 << rng.IntN(8)
			require.NoError(t, os.WriteFile(path, bad, 0o644))
			_, err := open(dir)
			require.ErrorContains(t, err, e.Name(), "byte %d of %s: %q became %q", at, e.Name(), good[at], bad[at])
		}
		for _, bad := range [][]byte{good[:len(good)-1], good[:0], append(bytes.Clone(good), 'x')} {
			require.NoError(t, os.WriteFile(path, bad, 0o644))
			_, err := open(dir)
			require.ErrorContains(t, err, e.Name(), "%d of %d bytes", len(bad), len(good))
		}
		require.NoError(t, os.Remove(path))
		_, err = open(dir)
		require.ErrorContains(t, err, e.Name())
		require.NoError(t, os.WriteFile(path, good, 0o644))
	}
	_, err = open(dir)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "stray.bin"), nil, 0o644))
	_, err = open(dir)
	require.ErrorContains(t, err, "stray.bin")
}

// replaceWeights writes other tensors into a pack whose hashes then fit again.
func replaceWeights(t *testing.T, dir string, change func(list []safetensors.Tensor) []safetensors.Tensor) {
	t.Helper()
	content := edit.File(t, filepath.Join(dir, "model.safetensors"), change)
	text, err := os.ReadFile(filepath.Join(dir, model.ManifestFile))
	require.NoError(t, err)
	m, err := model.ParseManifest(text)
	require.NoError(t, err)
	sum := sha256.Sum256(content)
	m.Files["model.safetensors"] = model.FileInfo{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
	text, err = m.Marshal()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, model.ManifestFile), text, 0o644))
}

// Tensors must be exactly those of the architecture, even where all hashes fit.
func TestTensorsAreChecked(t *testing.T) {
	zeros := func(n int) func() ([]byte, error) { return func() ([]byte, error) { return make([]byte, n), nil } }
	for want, change := range map[string]func(list []safetensors.Tensor) []safetensors.Tensor{
		`tensor "embedding.weight" is missing`: func(l []safetensors.Tensor) []safetensors.Tensor { return l[1:] },
		`unexpected tensor "extra"`: func(l []safetensors.Tensor) []safetensors.Tensor {
			return append(l, safetensors.Tensor{Name: "extra", DType: tensor.F32, Shape: []int{1}, Data: zeros(4)})
		},
		`tensor "head.bias" has shape [299], expected [300]`: func(l []safetensors.Tensor) []safetensors.Tensor {
			l[len(l)-1].Shape, l[len(l)-1].Data = []int{299}, zeros(4*299)
			return l
		},
		`tensor "head.bias" is F16, expected F32`: func(l []safetensors.Tensor) []safetensors.Tensor {
			l[len(l)-1].DType, l[len(l)-1].Data = tensor.F16, zeros(2*300)
			return l
		},
		`tensor "embedding.weight": its rows from 100 on are missing`: func(l []safetensors.Tensor) []safetensors.Tensor {
			l[0] = safetensors.Tensor{Name: model.PartName(model.Embedding, 0), DType: tensor.F32, Shape: []int{100, 8}, Data: zeros(3200)}
			return l
		},
	} {
		dir := write(t, modelOf(t, "f32"))
		replaceWeights(t, dir, change)
		_, err := open(dir)
		require.ErrorContains(t, err, want)

		// The tensor is named even where the manifest was edited without its checksum.
		path := filepath.Join(dir, model.ManifestFile)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, bytes.Replace(text, []byte(`"bos_id": -1`), []byte(`"bos_id": 1`), 1), 0o644))
		_, err = open(dir)
		require.ErrorIs(t, err, model.ErrManifestChecksum)
		require.ErrorContains(t, err, want)
	}
}

func TestBadTokenizerIsRefused(t *testing.T) {
	m := modelOf(t, "f32")
	m.Tokenizer = []byte(`{"model":{"type":"BPE"`)
	dir := filepath.Join(t.TempDir(), "pack")
	require.ErrorContains(t, pack.Write(context.Background(), dir, m, atomicdir.Refuse), "tokenizer.json")
	require.NoDirExists(t, dir)
}

// A manifest is refused, or says where every file stands.
func FuzzParseManifest(f *testing.F) {
	m := model.Manifest{Quantization: "f32", Files: map[string]model.FileInfo{"config.json": {SHA256: strings.Repeat("ab", 32), Size: 3}}}
	text, err := m.Marshal()
	require.NoError(f, err)
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := model.ParseManifest(data)
		if err != nil {
			require.ErrorContains(t, err, "unmask.json")
		}
		if m == nil {
			require.Error(t, err)
			return
		}
		for name, info := range m.Files {
			require.Equal(t, filepath.Base(name), name)
			require.GreaterOrEqual(t, info.Size, int64(0))
		}
	})
}
