package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/gpu/shaders"
	"github.com/unmask-lm/unmask/model"
)

// openGPU opens the GPU engine with what was measured on this device before.
func (s *source) openGPU(ctx context.Context, p *model.Pack) (*gpu.Engine, error) {
	o := gpu.Options{Tuning: openTuning(), Lost: func(err error) {
		fmt.Fprintf(os.Stderr, "unmask: %v; going on on a new one\n", err)
	}}
	if s.tile != "" {
		tile, err := shaders.ParseTile(s.tile)
		if err != nil {
			return nil, usage("--tile: %v", err)
		}
		o.Tile = &tile
	}
	return gpu.New(ctx, p, o)
}

// tuning keeps measurements of devices in the user's cache folder.
type tuning string

func openTuning() gpu.Tuning {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil // measured anew next time
	}
	return tuning(filepath.Join(dir, "unmask", "tuning"))
}

func (t tuning) file(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(string(t), hex.EncodeToString(sum[:8]))
}

// Load implements gpu.Tuning.
func (t tuning) Load(key string) []byte {
	data, err := os.ReadFile(t.file(key))
	if err != nil {
		return nil
	}
	return data
}

// Save implements gpu.Tuning.
func (t tuning) Save(key string, data []byte) {
	if os.MkdirAll(string(t), 0o755) != nil {
		return
	}
	tmp, err := os.CreateTemp(string(t), "new-")
	if err != nil {
		return
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if tmp.Close() == nil && err == nil {
		_ = os.Rename(tmp.Name(), t.file(key)) // losing it costs another measurement
	}
}
