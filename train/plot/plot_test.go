package plot_test

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/train/metrics"
	"github.com/unmask-lm/unmask/train/plot"
)

func TestDraw(t *testing.T) {
	var records []metrics.Record
	for step := 1; step <= 20; step++ {
		records = append(records, metrics.Record{Step: step, Kind: metrics.Train, Values: map[string]float64{"loss": 8 / float64(step)}})
		records = append(records, metrics.Record{Step: step, Kind: metrics.Search, Values: map[string]float64{"low": .3, "high": .8, "variance": 1}})
	}
	runs := []plot.Run{{"first", records}, {"second", records[:20]}}
	dir := t.TempDir()
	written, err := plot.Draw(dir, "png", runs)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "loss.png"), filepath.Join(dir, "variance.png"), filepath.Join(dir, "interval.png")}, written)
	for _, path := range written {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		picture, err := png.Decode(bytes.NewReader(data))
		require.NoError(t, err)
		require.Greater(t, picture.Bounds().Dx(), 400)
	}
	written, err = plot.Draw(dir, "svg", runs[:1])
	require.NoError(t, err)
	data, err := os.ReadFile(written[0])
	require.NoError(t, err)
	require.Contains(t, string(data), "<svg")
	require.Contains(t, string(data), "Training loss")

	_, err = plot.Draw(dir, "png", []plot.Run{{"none", nil}})
	require.ErrorContains(t, err, "no measurements")
	_, err = plot.Draw(dir, "doc", runs)
	require.Error(t, err)
}
