package checkpoint_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/train/checkpoint"
)

func state(step int) *checkpoint.State {
	s := &checkpoint.State{Config: model.HubConfig{
		ModelType: model.HubModelType, VocabSize: 5, HiddenDim: 4, CondDim: 2, Blocks: 1, Heads: 1, ModelLength: 8, BlockSize: 2,
	}, Tokenizer: []byte("{}")}
	s.Trainer = checkpoint.Trainer{Step: step, Objective: "bd3lm", Seed: 7, Fingerprint: "f"}
	s.Specs = s.Config.Tensors()
	size := 0
	for _, spec := range s.Specs {
		size += spec.Size()
	}
	for i, v := range []*[]float32{&s.Weights, &s.EMA, &s.M, &s.V} {
		*v = make([]float32, size)
		for j := range *v {
			(*v)[j] = float32(i*1000+j) + float32(step)/10
		}
	}
	return s
}

func TestSaveLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	for step := 10; step <= 40; step += 10 {
		path, err := checkpoint.Save(dir, state(step), 2)
		require.NoError(t, err)
		latest, err := checkpoint.Latest(dir)
		require.NoError(t, err)
		require.Equal(t, path, latest)
	}
	require.NoError(t, checkpoint.SaveBest(dir, state(20)))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 3, "two steps and the best")

	latest, err := checkpoint.Latest(dir)
	require.NoError(t, err)
	got, err := checkpoint.Load(latest)
	require.NoError(t, err)
	require.Equal(t, state(40), got)
}

func TestLatestOfNothing(t *testing.T) {
	latest, err := checkpoint.Latest(filepath.Join(t.TempDir(), "absent"))
	require.NoError(t, err)
	require.Empty(t, latest)
}

// What a crash leaves beside is never taken for a checkpoint.
func TestHalfWrittenIsIgnored(t *testing.T) {
	dir := t.TempDir()
	_, err := checkpoint.Save(dir, state(1), 2)
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".step-00000002.new-123"), 0o755))
	latest, err := checkpoint.Latest(dir)
	require.NoError(t, err)
	require.Equal(t, "step-00000001", filepath.Base(latest))
}

func TestLoadRefuses(t *testing.T) {
	for _, name := range []string{model.ConfigFile, checkpoint.TrainerFile, checkpoint.WeightsFile, checkpoint.StateFile} {
		dir := t.TempDir()
		path, err := checkpoint.Save(dir, state(1), 2)
		require.NoError(t, err)
		file := filepath.Join(path, name)
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, data[:len(data)/2], 0o644))
		_, err = checkpoint.Load(path)
		require.ErrorContains(t, err, name)
		require.NoError(t, os.Remove(file))
		_, err = checkpoint.Load(path)
		require.ErrorContains(t, err, name)
	}
}
