package main

import (
	"context"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/golden"
	"github.com/unmask-lm/unmask/model/safetensors"
	"github.com/unmask-lm/unmask/model/safetensors/edit"
	"github.com/unmask-lm/unmask/model/tensor"
	"github.com/unmask-lm/unmask/train/vocabulary"
)

// convert runs the command.
func convert(args ...string) error {
	c := command()
	c.SetArgs(args)
	return c.ExecuteContext(context.Background())
}

func openPack(t *testing.T, dir string) *model.Pack {
	t.Helper()
	p, err := model.Open(context.Background(), model.Dir(dir), nil)
	require.NoError(t, err)
	return p
}

// The pack that other rooms test with is what convert makes of the golden checkpoint.
func TestGoldenPackIsCurrent(t *testing.T) {
	out := filepath.Join(t.TempDir(), "pack")
	require.NoError(t, convert("--in", golden.Checkpoint(t), "--out", out))
	made, committed := openPack(t, out), golden.Pack(t, 4)
	require.Equal(t, committed.Config, made.Config)
	for _, s := range made.Config.Tensors() {
		require.Equal(t, committed.Tensor(s.Name), made.Tensor(s.Name), s.Name)
	}
	require.Equal(t, committed.Manifest.Files, made.Manifest.Files, "same input, same bytes")
}

func TestBlockSizeAndQuantization(t *testing.T) {
	in := golden.Checkpoint(t)
	for _, block := range []string{"1", "2", "8", "16"} {
		out := filepath.Join(t.TempDir(), "pack")
		require.NoError(t, convert("--in", in, "--out", out, "--block-size", block, "--quant", "f16"))
		p := openPack(t, out)
		require.Equal(t, tensor.F16, p.Tensor(model.HeadWeight).DType)
		require.Equal(t, tensor.F32, p.Tensor(model.HeadBias).DType)
		require.Equal(t, p.Config.Block, p.Manifest.Block)
	}
}

// change rewrites the tensors of a checkpoint.
func change(t *testing.T, dir string, with func(list []safetensors.Tensor) []safetensors.Tensor) {
	t.Helper()
	edit.File(t, filepath.Join(dir, "model.safetensors"), with)
}

func without(list []safetensors.Tensor, name string) (out []safetensors.Tensor) {
	for _, x := range list {
		if x.Name != name {
			out = append(out, x)
		}
	}
	return out
}

func constant(name string, value float32, shape ...int) safetensors.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = value
	}
	return safetensors.Tensor{Name: name, DType: tensor.F32, Shape: shape, Data: func() ([]byte, error) { return tensor.Encode(tensor.F32, nil, values), nil }}
}

// editConfig changes fields of a checkpoint's config.json.
func editConfig(t *testing.T, dir string, fields map[string]any) {
	t.Helper()
	path := filepath.Join(dir, "config.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var c map[string]any
	require.NoError(t, json.Unmarshal(text, &c))
	for name, value := range fields {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	text, err = json.Marshal(c)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o644))
}

// Every mistake is refused by name and leaves nothing.
func TestRefuses(t *testing.T) {
	weights := func(with func([]safetensors.Tensor) []safetensors.Tensor) func(*testing.T, string) {
		return func(t *testing.T, dir string) { change(t, dir, with) }
	}
	write := func(name string, data []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
		}
	}
	config := func(fields map[string]any) func(*testing.T, string) {
		return func(t *testing.T, dir string) { editConfig(t, dir, fields) }
	}
	wrong, err := vocabulary.Learn([]string{strings.Repeat("some words to learn from ", 9)}, 260)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		prepare func(t *testing.T, dir string)
		want    []string
		args    []string
	}{
		"missing tensor": {weights(func(l []safetensors.Tensor) []safetensors.Tensor { return without(l, model.HubHead+".bias") }), []string{`"backbone.output_layer.linear.bias" is missing`}, nil},
		"several at once": {weights(func(l []safetensors.Tensor) []safetensors.Tensor {
			return append(without(without(l, model.HubEmbedding), model.HubSigma0+".bias"), constant("stray", 0, 1))
		}), []string{model.HubEmbedding, model.HubSigma0 + ".bias", `unexpected tensor "stray"`}, nil},
		"wrong shape": {weights(func(l []safetensors.Tensor) []safetensors.Tensor {
			return append(without(l, model.HubFinalNorm), constant(model.HubFinalNorm, 1, 31))
		}), []string{"shape [31], expected [32]"}, nil},
		"not a number": {weights(func(l []safetensors.Tensor) []safetensors.Tensor {
			return append(without(l, model.HubFinalNorm), constant(model.HubFinalNorm, float32(math.NaN()), 32))
		}), []string{"final_norm.weight", "NaN"}, nil},
		"too large for f16": {weights(func(l []safetensors.Tensor) []safetensors.Tensor {
			return append(without(l, model.HubEmbedding), constant(model.HubEmbedding, 70000, 37, 32))
		}), []string{"embedding.weight", "65504"}, []string{"--quant", "f16"}},
		"hostile header": {write("model.safetensors", append([]byte{255, 255, 255, 255, 0, 0, 0, 0}, "{}"...)), []string{"model.safetensors", "header"}, nil},
		"truncated": {func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir, "model.safetensors"), 100_000))
		}, []string{"model.safetensors"}, nil},
		"no weights":      {func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "model.safetensors"))) }, []string{"model.safetensors"}, nil},
		"no config":       {func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "config.json"))) }, []string{"config.json"}, nil},
		"broken config":   {write("config.json", []byte("{")), []string{"config.json"}, nil},
		"time":            {config(map[string]any{"time_conditioning": true}), []string{"time_conditioning"}, nil},
		"causal":          {config(map[string]any{"causal": true}), []string{"causal"}, nil},
		"more layers":     {config(map[string]any{"n_blocks": 3}), []string{"backbone.blocks.2.norm1.weight"}, nil},
		"heads":           {config(map[string]any{"n_heads": 5}), []string{"head width"}, nil},
		"wrong tokenizer": {write("tokenizer.json", wrong), []string{"tokenizer.json", "260 tokens", "expected 36"}, nil},
		"no tokenizer":    {write("tokenizer.json", []byte("[]")), []string{"tokenizer.json"}, nil},
		"block size":      {func(*testing.T, string) {}, []string{"block_size is 17"}, []string{"--block-size", "17"}},
	} {
		t.Run(name, func(t *testing.T) {
			in, parent := golden.Checkpoint(t), t.TempDir()
			c.prepare(t, in)
			err := convert(append([]string{"--in", in, "--out", filepath.Join(parent, "pack")}, c.args...)...)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			require.NotErrorIs(t, err, errUsage)
			left, err := os.ReadDir(parent)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

// Buffers are optional, and so are fields that older uploads lack.
func TestOptionalParts(t *testing.T) {
	in := golden.Checkpoint(t)
	change(t, in, func(l []safetensors.Tensor) []safetensors.Tensor {
		for _, name := range model.HubBuffers() {
			l = without(l, name)
		}
		return l
	})
	editConfig(t, in, map[string]any{"adaln": nil, "causal": nil})
	out := filepath.Join(t.TempDir(), "pack")
	require.NoError(t, convert("--in", in, "--out", out))
	require.Equal(t, golden.Pack(t, 4).Tensor(model.Layer(0, model.OutWeight)), openPack(t, out).Tensor(model.Layer(0, model.OutWeight)))
}

// A model without modulation is its own folding.
func TestUnmodulated(t *testing.T) {
	in := golden.Checkpoint(t)
	change(t, in, func(l []safetensors.Tensor) (out []safetensors.Tensor) {
		for _, x := range l {
			if !strings.Contains(x.Name, "adaLN") && !strings.Contains(x.Name, "sigma") {
				out = append(out, x)
			}
		}
		return out
	})
	editConfig(t, in, map[string]any{"adaln": false})
	out := filepath.Join(t.TempDir(), "pack")
	require.NoError(t, convert("--in", in, "--out", out))
	f, err := safetensors.Open(filepath.Join(in, "model.safetensors"))
	require.NoError(t, err)
	defer f.Close()
	want, err := f.Float32s(model.HubLayer(1, model.HubOut))
	require.NoError(t, err)
	p := openPack(t, out)
	require.Equal(t, want, p.Tensor(model.Layer(1, model.OutWeight)).Float32s())
	for _, v := range p.Tensor(model.FinalNormBias).Float32s() {
		require.Zero(t, v)
	}
}

func TestUsage(t *testing.T) {
	in := golden.Checkpoint(t)
	require.ErrorIs(t, convert("--in", in), errUsage)
	require.ErrorIs(t, convert("--in", in, "--out", "x", "--quant", "q3"), errUsage)
	require.ErrorIs(t, convert("--nonsense"), errUsage)
}

// An existing folder is left alone unless told otherwise, and is never half replaced.
func TestExistingOutput(t *testing.T) {
	in, out := golden.Checkpoint(t), filepath.Join(t.TempDir(), "pack")
	require.NoError(t, convert("--in", in, "--out", out))
	before := listing(t, out)
	require.ErrorContains(t, convert("--in", in, "--out", out, "--quant", "f16"), "not empty")
	require.Equal(t, before, listing(t, out))
	require.NoError(t, convert("--in", in, "--out", out, "--quant", "f16", "--force"))
	require.NotEqual(t, before, listing(t, out))
	require.NoError(t, os.Truncate(filepath.Join(in, "model.safetensors"), 50))
	after := listing(t, out)
	require.Error(t, convert("--in", in, "--out", out, "--force"))
	require.Equal(t, after, listing(t, out))
}

func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		out[path] = string(data)
		return err
	}))
	return out
}
