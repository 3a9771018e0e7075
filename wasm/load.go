//go:build js

package main

import (
	"context"
	"fmt"
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
	ready protocol.Ready
}

// load fetches and verifies a pack, opens an engine on it, and says which and why.
func (w *worker) load(ctx context.Context, q protocol.Load) error {
	if q.Engine != "auto" && q.Engine != "gpu" && q.Engine != "cpu" {
		return requestError{fmt.Errorf("engine is %q, expected auto, gpu or cpu", q.Engine)}
	}
	files := &fetched{base: q.URL}
	p, err := model.Open(ctx, files, files.report)
	if err != nil {
		return integrityError{err}
	}
	s, err := session.New(p, nil)
	if err != nil {
		return err
	}
	m := &loaded{Session: s}
	m.ready = protocol.Ready{Type: protocol.TypeReady, BlockSize: p.Config.Block, Params: p.Config.Params(), Bytes: p.Bytes()}
	if err := m.openEngine(ctx, q.Engine); err != nil {
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

func (m *loaded) openEngine(ctx context.Context, want string) error {
	reason := "asked for"
	if want != "cpu" {
		e, err := gpu.New(ctx, m.Pack)
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

// emit posts an event. On the CPU it then lets the event loop run, so that stop is heard.
func (m *loaded) emit(event any) error {
	post(event)
	if m.ready.Engine == "cpu" {
		time.Sleep(time.Millisecond)
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

func (m *loaded) score(ctx context.Context, q protocol.Score) error {
	result, err := m.Session.Score(ctx, q, 0)
	if err != nil {
		return err
	}
	post(protocol.Answer{Type: protocol.TypeAnswer, Score: result})
	return nil
}
