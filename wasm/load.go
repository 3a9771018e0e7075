//go:build js

package main

import (
	"context"
	"fmt"
	goruntime "runtime"
	"time"

	"github.com/unmask-lm/unmask/cpu/simd"
	"github.com/unmask-lm/unmask/cpu/simd/kernels"
	"github.com/unmask-lm/unmask/gpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/runtime/session"
)

// loaded is a model with its engine.
type loaded struct {
	*session.Session
	ready    protocol.Ready
	breathed time.Time // when the event loop last ran
}

// load fetches and verifies a pack, opens an engine on it, and says which and why.
func (w *worker) load(ctx context.Context, q protocol.Load) error {
	if q.Engine != "auto" && q.Engine != "gpu" && q.Engine != "cpu" {
		return session.RequestError{Err: fmt.Errorf("engine is %q, expected auto, gpu or cpu", q.Engine)}
	}
	opening := &opening{pack: openPack(ctx, q.URL), engine: q.Engine, options: gpuOptions()}
	defer opening.close()
	p, err := model.Open(ctx, opening, nil)
	if err != nil {
		opening.abandon()
		return integrityError{err}
	}
	s, err := session.New(p, nil)
	if err != nil {
		opening.abandon()
		return err
	}
	m := &loaded{Session: s}
	m.ready = protocol.Ready{Type: protocol.TypeReady, BlockSize: p.Config.Block, Params: p.Config.Params(), Bytes: p.Bytes(), Window: p.Config.Window, License: p.Manifest.Provenance.License}
	if err := m.openEngine(ctx, q.Engine, opening.options); err != nil {
		return err
	}
	if w.model != nil {
		if err := w.model.Engine.Close(); err != nil {
			return err
		}
	}
	w.model = m
	post(m.ready)
	return nil
}

// gpuOptions remember measurements, and tell the page when a device is replaced.
func gpuOptions() gpu.Options {
	return gpu.Options{Tuning: tuning{}, Lost: func(err error) {
		post(protocol.Recovered{Type: protocol.TypeRecovered, Message: err.Error()})
	}}
}

// opening fetches a pack, and has the GPU's kernels compiled as soon as the architecture is known.
type opening struct {
	*pack
	engine   string
	options  gpu.Options
	manifest *model.Manifest
}

// ReadFile implements model.Files. The manifest comes first, then config.json; both are verified by
// model.Open, and gpu.New refuses kernels that were begun for another model.
func (o *opening) ReadFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	data, err := o.pack.ReadFile(ctx, name, limit)
	if err != nil || o.engine == "cpu" {
		return data, err
	}
	switch name {
	case model.ManifestFile:
		o.manifest, _ = model.ParseManifest(data)
	case model.ConfigFile:
		if c, err := model.ParseConfig(name, data); err == nil && o.manifest != nil {
			o.options.Start = gpu.Begin(context.WithoutCancel(ctx), c, o.manifest.Quantization, o.options)
		}
	}
	return data, nil
}

// abandon frees what was begun for a model that can not be opened.
func (o *opening) abandon() {
	if o.options.Start != nil {
		o.options.Start.Abandon()
	}
}

func (m *loaded) openEngine(ctx context.Context, want string, o gpu.Options) error {
	reason := "asked for"
	if want != "cpu" {
		e, err := gpu.New(ctx, m.Pack, o)
		if err == nil {
			m.Engine = e
			m.ready.Engine, m.ready.Adapter, m.ready.Reason = "gpu", e.Info().Name, "WebGPU is available"
			return nil
		}
		if want == "gpu" {
			return err
		}
		reason = err.Error()
	}
	m.Engine = simd.New(m.Pack, 1)
	m.ready.Engine, m.ready.Adapter, m.ready.Reason = "cpu", "processor, "+kernels.Level(), reason
	return nil
}

// breath is how long the CPU engine may keep the event loop waiting, which hears stop.
const breath = 20 * time.Millisecond

// emit posts an event. On the CPU it lets the event loop run now and then.
func (m *loaded) emit(event any) error {
	post(event)
	if m.ready.Engine == "cpu" && time.Since(m.breathed) > breath {
		time.Sleep(time.Microsecond)
		m.breathed = time.Now()
	}
	return nil
}

func (m *loaded) logits(ctx context.Context, q protocol.Logits) error {
	rows, err := runtime.LogitRows(ctx, m.Engine, q.Context, q.Canvas)
	if err != nil {
		return err
	}
	post(protocol.Answer{Type: protocol.TypeAnswer, Logits: &protocol.LogitsResult{Logits: rows}})
	return nil
}

func (m *loaded) alternatives(ctx context.Context, q protocol.Alternatives) error {
	found, err := m.Session.Alternatives(ctx, q)
	if err != nil {
		return err
	}
	post(protocol.Answer{Type: protocol.TypeAnswer, Alternatives: found})
	return nil
}

// tokenize answers with the memory that the runtime holds too, which costs as little to know.
func (m *loaded) tokenize(q protocol.Tokenize) error {
	ids, texts, err := m.Session.Tokenize(q.Text)
	if err != nil {
		return err
	}
	var memory goruntime.MemStats
	goruntime.ReadMemStats(&memory)
	post(protocol.Answer{Type: protocol.TypeAnswer, Tokens: ids, Texts: texts, Memory: int64(memory.Sys)})
	return nil
}

func (m *loaded) score(ctx context.Context, q protocol.Score) error {
	answer := protocol.Answer{Type: protocol.TypeAnswer}
	var err error
	if q.Text != nil && q.Tokens == nil {
		if answer.Tokens, answer.Texts, err = m.Session.Tokenize(*q.Text); err != nil {
			return err
		}
		q = protocol.Score{Tokens: answer.Tokens}
	}
	if answer.Score, err = m.Session.Score(ctx, q, 0); err != nil {
		return err
	}
	post(answer)
	return nil
}
