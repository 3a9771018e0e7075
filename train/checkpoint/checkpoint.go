// Package checkpoint saves and restores training. A checkpoint is a folder in the Hub layout of
// BD3-LM (config.json, model.safetensors with the averaged weights, tokenizer.json), so that any
// tool that reads released models reads it, with the trainer's own state beside.
package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/atomicdir"
	"github.com/unmask-lm/unmask/model/safetensors"
	"github.com/unmask-lm/unmask/model/strictjson"
	"github.com/unmask-lm/unmask/model/tensor"
)

// Files of a checkpoint.
const (
	WeightsFile = "model.safetensors" // averaged (EMA) weights under their Hub names
	StateFile   = "state.safetensors" // raw weights and optimiser moments, flat
	TrainerFile = "trainer.json"
)

const prefix = "step-"

// Trainer is trainer.json: where training stands and how it got there.
type Trainer struct {
	Step      int    `json:"step"`   // optimiser steps done
	Tokens    int64  `json:"tokens"` // clean tokens seen, those of the run that this one started from included
	Objective string `json:"objective"`
	IgnoreBOS bool   `json:"ignore_bos,omitempty"`
	Seed      uint64 `json:"seed"`
	Batch     int    `json:"batch"`
	// Fingerprint is a hash of everything that decides the next step but is not in the checkpoint:
	// the token stream and the options of noise and optimiser.
	Fingerprint string `json:"fingerprint"`
	Device      string `json:"device"`
	// Interval is the range of noise levels that a schedule search chose last, if one is under way.
	Interval   *[2]float64      `json:"interval,omitempty"`
	HeldOut    HeldOut          `json:"held_out"`
	Best       HeldOut          `json:"best"`
	Mask       int              `json:"mask_id"`
	EOS        int              `json:"eos_id"`
	Recipe     string           `json:"recipe,omitempty"`
	Provenance model.Provenance `json:"provenance"`
}

// HeldOut is a validation result.
type HeldOut struct {
	Step     int     `json:"step"`
	NELBO    float64 `json:"nelbo"`         // nats a token
	BitsByte float64 `json:"bits_per_byte"` // the same bound a byte of text
	// StdErr is the standard error of NELBO where it was sampled.
	StdErr float64 `json:"std_err,omitempty"`
	Tokens int64   `json:"tokens"`
	Bytes  int64   `json:"bytes"`
}

// State is everything that the next step depends on.
type State struct {
	Trainer   Trainer
	Config    model.HubConfig
	Tokenizer []byte // tokenizer.json

	Specs              []model.TensorSpec
	Weights, EMA, M, V []float32 // flat, in the order of Specs
}

// Save writes the checkpoint as dir/step-N, whole or not at all, and keeps the newest keep of them.
func Save(dir string, s *State, keep int) (string, error) {
	path := filepath.Join(dir, fmt.Sprintf("%s%08d", prefix, s.Trainer.Step))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := Write(path, s); err != nil {
		return "", fmt.Errorf("checkpoint %s: %w", path, err)
	}
	return path, prune(dir, keep)
}

// SaveBest writes the checkpoint as dir/best.
func SaveBest(dir string, s *State) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return Write(filepath.Join(dir, "best"), s)
}

// Write writes the checkpoint at path, whole or not at all.
func Write(path string, s *State) error {
	return atomicdir.Write(path, atomicdir.Replace, func(tmp string) error {
		if err := writeJSON(filepath.Join(tmp, model.ConfigFile), s.Config); err != nil {
			return err
		}
		if err := writeJSON(filepath.Join(tmp, TrainerFile), s.Trainer); err != nil {
			return err
		}
		if s.Tokenizer != nil {
			if err := os.WriteFile(filepath.Join(tmp, model.TokenizerFile), s.Tokenizer, 0o644); err != nil {
				return err
			}
		}
		if err := writeTensors(filepath.Join(tmp, WeightsFile), named(s.Specs, s.EMA)); err != nil {
			return err
		}
		return writeTensors(filepath.Join(tmp, StateFile), []safetensors.Tensor{
			flat("weights", s.Weights), flat("adam.m", s.M), flat("adam.v", s.V),
		})
	})
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

func writeTensors(path string, tensors []safetensors.Tensor) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(safetensors.Write(f, tensors, nil), f.Close())
}

func flat(name string, values []float32) safetensors.Tensor {
	return safetensors.Tensor{Name: name, DType: tensor.F32, Shape: []int{len(values)}, Data: func() ([]byte, error) {
		return tensor.Encode(tensor.F32, make([]byte, 0, 4*len(values)), values), nil
	}}
}

func named(specs []model.TensorSpec, values []float32) []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, s := range specs {
		t := flat(s.Name, values[:s.Size()])
		t.Shape = s.Shape
		out = append(out, t)
		values = values[s.Size():]
	}
	return out
}

// Latest finds the newest complete checkpoint of dir, or "" if there is none.
func Latest(dir string) (string, error) {
	steps, err := list(dir)
	if err != nil || len(steps) == 0 {
		return "", err
	}
	return steps[len(steps)-1], nil
}

func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		if n, ok := strings.CutPrefix(e.Name(), prefix); ok && e.IsDir() {
			if _, err := strconv.Atoi(n); err == nil {
				out = append(out, filepath.Join(dir, e.Name()))
			}
		}
	}
	slices.Sort(out)
	return out, err
}

func prune(dir string, keep int) error {
	steps, err := list(dir)
	for len(steps) > max(keep, 1) && err == nil {
		err = os.RemoveAll(steps[0])
		steps = steps[1:]
	}
	return err
}

// Load reads a checkpoint back.
func Load(path string) (*State, error) {
	s := &State{}
	for name, v := range map[string]any{model.ConfigFile: &s.Config, TrainerFile: &s.Trainer} {
		data, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			return nil, err
		}
		if err := strictjson.Unmarshal(data, v); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(path, name), err)
		}
	}
	tokenizer, err := os.ReadFile(filepath.Join(path, model.TokenizerFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	s.Tokenizer, s.Specs = tokenizer, s.Config.Tensors()
	if s.EMA, err = readNamed(filepath.Join(path, WeightsFile), s.Specs); err != nil {
		return nil, err
	}
	return s, s.readState(filepath.Join(path, StateFile))
}

func readNamed(path string, specs []model.TensorSpec) ([]float32, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []float32
	for _, spec := range specs {
		values, err := f.Float32s(spec.Name)
		if err != nil {
			return nil, err
		}
		if len(values) != spec.Size() {
			return nil, fmt.Errorf("%s: tensor %q has %d values, shape %v needs %d", path, spec.Name, len(values), spec.Shape, spec.Size())
		}
		out = append(out, values...)
	}
	return out, nil
}

func (s *State) readState(path string) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for name, into := range map[string]*[]float32{"weights": &s.Weights, "adam.m": &s.M, "adam.v": &s.V} {
		if *into, err = f.Float32s(name); err != nil {
			return err
		}
		if len(*into) != len(s.EMA) {
			return fmt.Errorf("%s: tensor %q has %d values, expected %d", path, name, len(*into), len(s.EMA))
		}
	}
	return nil
}
