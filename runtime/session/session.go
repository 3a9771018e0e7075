// Package session generates text: it joins an engine with a pack's tokenizer and defaults, and turns
// what happens into the events of runtime/protocol.
package session

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/tokenizer"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/draw"
	"github.com/unmask-lm/unmask/runtime/policy"
	"github.com/unmask-lm/unmask/runtime/protocol"
)

// ErrNoTokenizer is what a model without tokenizer answers to requests in text.
var ErrNoTokenizer = errors.New("the model has no tokenizer.json: text needs one; convert it again with --tokenizer FILE")

// RequestError is a request that makes no sense.
type RequestError struct{ Err error }

func (e RequestError) Error() string { return e.Err.Error() }

// Unwrap gives the error itself.
func (e RequestError) Unwrap() error { return e.Err }

// Session is a loaded model ready to write and to score.
type Session struct {
	Pack   *model.Pack
	Engine runtime.Engine
	Codec  tokenizer.Codec // nil if the pack has no tokenizer
}

// New joins a pack with an engine that runs it, and opens its tokenizer.
func New(p *model.Pack, engine runtime.Engine) (*Session, error) {
	s := &Session{Pack: p, Engine: engine}
	var err error
	switch {
	case p.Vocabulary != nil:
		s.Codec, err = tokenizer.ParseBinary(p.Vocabulary)
	case p.Tokenizer != nil:
		s.Codec, err = tokenizer.Open(p.Tokenizer)
	}
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	return s, nil
}

// Generate continues a prompt and hands every event to emit, protocol.Done last. An error of emit
// ends it. When ctx ends, what was written so far is done, with reason "stopped".
func (s *Session) Generate(ctx context.Context, q protocol.Generate, emit func(event any) error) error {
	if s.Codec == nil {
		return ErrNoTokenizer
	}
	began := time.Now()
	request, err := s.request(q)
	if err != nil {
		return RequestError{err}
	}
	w := &writer{session: s, emit: emit, given: len(request.Prompt) % s.Pack.Config.Block}
	result, err := runtime.Generate(ctx, s.Engine, request, w)
	if err != nil {
		return err
	}
	return emit(protocol.Done{
		Type: protocol.TypeDone, Tokens: nonNil(result.Tokens), Text: s.text(result.Tokens),
		Passes: result.Passes, Seconds: time.Since(began).Seconds(), Reason: result.Reason,
	})
}

// request fills in the pack's defaults and encodes the prompt, behind the model's first token.
func (s *Session) request(q protocol.Generate) (runtime.Request, error) {
	m := s.Pack.Manifest
	length := m.Sampling.MaxTokens
	if len(q.Canvas) > 0 {
		length = len(q.Canvas)
	}
	r := runtime.Request{
		Canvas:      q.Canvas,
		MaxTokens:   or(q.MaxTokens, length),
		EntropyStop: or(q.EntropyStop, m.Sampling.EntropyStop),
		Draw: draw.Options{
			Seed: q.Seed, Temperature: float32(or(q.Temperature, m.Sampling.Temperature)),
			TopP: float32(or(q.TopP, m.Sampling.TopP)), TopK: or(q.TopK, 0),
		},
	}
	name := q.Policy
	if name == "" {
		name = m.Sampling.Policy
	}
	var err error
	if r.Policy, err = policy.Parse(name); err != nil {
		return r, err
	}
	if m.EOS != model.NoToken {
		r.Stop = []int{m.EOS}
	}
	r.Prompt, err = s.prompt(q.Prompt)
	return r, err
}

// prompt is the text behind the model's first token.
func (s *Session) prompt(text string) ([]int, error) {
	var ids []int
	if bos := s.Pack.Manifest.BOS; bos != model.NoToken {
		ids = append(ids, bos)
	}
	if text != "" {
		ids = append(ids, s.Codec.Encode(text)...)
	}
	for _, id := range ids {
		if id >= s.Pack.Config.Vocab {
			return nil, fmt.Errorf("prompt: token %d is beyond the model's vocabulary of %d", id, s.Pack.Config.Vocab)
		}
	}
	return ids, nil
}

// Alternatives tells what else could stand at a position.
func (s *Session) Alternatives(ctx context.Context, q protocol.Alternatives) ([]protocol.Alternative, error) {
	if s.Codec == nil {
		return nil, ErrNoTokenizer
	}
	ids, err := s.prompt(q.Prompt)
	if err != nil {
		return nil, err
	}
	found, err := runtime.Alternatives(ctx, s.Engine, slices.Concat(ids, q.Tokens), len(ids)+q.At, q.Count)
	if err != nil {
		return nil, err
	}
	out := make([]protocol.Alternative, len(found))
	for i, a := range found {
		out[i] = protocol.Alternative{Token: a.Token, Text: s.Codec.Decode([]int{a.Token}), Prob: a.Prob}
	}
	return out, nil
}

// Tokenize returns the tokens of a text, and the text of each.
func (s *Session) Tokenize(text string) (ids []int, texts []string, err error) {
	if s.Codec == nil {
		return nil, nil, ErrNoTokenizer
	}
	ids = s.Codec.Encode(text)
	for _, id := range ids {
		texts = append(texts, s.Codec.Decode([]int{id}))
	}
	return ids, texts, nil
}

func or[T any](value *T, otherwise T) T {
	if value != nil {
		return *value
	}
	return otherwise
}

func nonNil(ids []int) []int {
	if ids == nil {
		return []int{}
	}
	return ids
}

// text decodes generated tokens; the end-of-text token is no text.
func (s *Session) text(ids []int) string {
	if n := len(ids); n > 0 && ids[n-1] == s.Pack.Manifest.EOS {
		ids = ids[:n-1]
	}
	return s.Codec.Decode(ids)
}

// writer turns what runtime.Generate observes into events.
type writer struct {
	session *Session
	emit    func(event any) error
	given   int   // rows of the next canvas that are the prompt's
	all     []int // generated tokens
	sent    int   // bytes of their text that block events have carried
}

// Canvas implements runtime.Observer.
func (w *writer) Canvas(block int, tokens []int) error {
	e := protocol.Canvas{Type: protocol.TypeCanvas, Block: block, Given: w.given}
	w.given = 0
	for _, id := range tokens {
		if id == w.session.Pack.Config.Mask {
			e.Tokens, e.Texts = append(e.Tokens, -1), append(e.Texts, "")
			continue
		}
		e.Tokens, e.Texts = append(e.Tokens, id), append(e.Texts, w.session.Codec.Decode([]int{id}))
	}
	return w.emit(e)
}

// Reveal implements runtime.Observer.
func (w *writer) Reveal(block, step int, c draw.Candidate) error {
	return w.emit(protocol.Reveal{
		Type: protocol.TypeReveal, Block: block, Step: step, Row: c.Row, Token: c.Token,
		Text: w.session.Codec.Decode([]int{c.Token}), Prob: math.Exp(c.LogProb), Entropy: c.Entropy,
	})
}

// Block implements runtime.Observer. Its text is what the block adds to the text so far; a character
// whose bytes the block leaves incomplete comes with the block that completes it.
func (w *writer) Block(block int, tokens []int) error {
	w.all = append(w.all, tokens...)
	text := w.session.text(w.all)
	complete := text[:len(text)-tokenizer.Incomplete(text)]
	added := ""
	if len(complete) > w.sent {
		added = complete[w.sent:]
		w.sent = len(complete)
	}
	return w.emit(protocol.Block{Type: protocol.TypeBlock, Block: block, Tokens: nonNil(tokens), Text: added})
}
