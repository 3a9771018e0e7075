package tokenizer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/unmask-lm/unmask/model/strictjson"
)

// file is the part of tokenizer.json that decides which ids come out. Post-processors only add
// tokens around a text, truncation and padding only cut or fill it; none apply here.
type file struct {
	AddedTokens  []addedToken   `json:"added_tokens"`
	Normalizer   strictjson.Raw `json:"normalizer"`
	PreTokenizer strictjson.Raw `json:"pre_tokenizer"`
	Decoder      *struct {
		Type string `json:"type"`
	} `json:"decoder"`
	Model strictjson.Raw `json:"model"`
}

type fileModel struct {
	Type         string           `json:"type"`
	Dropout      *float64         `json:"dropout"`
	Unknown      *string          `json:"unk_token"`
	Prefix       *string          `json:"continuing_subword_prefix"`
	Suffix       *string          `json:"end_of_word_suffix"`
	ByteFallback bool             `json:"byte_fallback"`
	IgnoreMerges bool             `json:"ignore_merges"`
	Vocab        map[string]int   `json:"vocab"`
	Merges       []strictjson.Raw `json:"merges"`
}

type step struct {
	Type           string `json:"type"`
	AddPrefixSpace bool   `json:"add_prefix_space"`
	UseRegex       *bool  `json:"use_regex"`
	Behavior       string `json:"behavior"`
	Invert         bool   `json:"invert"`
	Pattern        struct {
		Regex string `json:"Regex"`
	} `json:"pattern"`
	Pretokenizers []step `json:"pretokenizers"`
	Normalizers   []step `json:"normalizers"`
}

// maxID bounds token ids, so that a hostile file cannot ask for a huge table.
const maxID = 1 << 22

// Parse reads a tokenizer.json. The error wraps ErrUnsupported if it is of another kind than
// byte-level BPE, and says which.
func Parse(data []byte) (*Tokenizer, error) {
	var f file
	if err := strictjson.UnmarshalKnown(data, &f); err != nil {
		return nil, err
	}
	t := &Tokenizer{added: f.AddedTokens}
	var m fileModel
	if err := kindOf(f.Model, &m.Type); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if m.Type != "BPE" && m.Type != "" {
		return nil, fmt.Errorf("model type %q: %w", m.Type, ErrUnsupported)
	}
	if err := strictjson.UnmarshalKnown(f.Model, &m); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	var err error
	if t.nfc, err = parseNormalizer(f.Normalizer); err != nil {
		return nil, fmt.Errorf("normalizer: %w", err)
	}
	if t.split, err = parsePreTokenizer(f.PreTokenizer); err != nil {
		return nil, fmt.Errorf("pre_tokenizer: %w", err)
	}
	if f.Decoder == nil || f.Decoder.Type != "ByteLevel" {
		return nil, fmt.Errorf("decoder is not ByteLevel: %w", ErrUnsupported)
	}
	t.ignore = m.IgnoreMerges
	if err := t.load(&m); err != nil {
		return nil, err
	}
	return t, t.finish()
}

func kindOf(raw strictjson.Raw, kind *string) error {
	var k struct {
		Type string `json:"type"`
	}
	if len(raw) == 0 || string(raw) == "null" {
		return errors.New("missing")
	}
	err := strictjson.UnmarshalKnown(raw, &k)
	*kind = k.Type
	return err
}

func (m *fileModel) check() error {
	set := func(s *string) bool { return s != nil && *s != "" }
	switch {
	case m.Dropout != nil && *m.Dropout != 0:
		return fmt.Errorf("dropout %v: %w", *m.Dropout, ErrUnsupported)
	case set(m.Unknown), set(m.Prefix), set(m.Suffix), m.ByteFallback:
		return fmt.Errorf("BPE with unk_token, prefix, suffix or byte_fallback: %w", ErrUnsupported)
	}
	return nil
}

func parseNormalizer(raw strictjson.Raw) (nfc bool, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return false, nil
	}
	var s step
	if err := strictjson.UnmarshalKnown(raw, &s); err != nil {
		return false, err
	}
	steps := s.Normalizers
	if s.Type != "Sequence" {
		steps = []step{s}
	}
	for _, s := range steps {
		if s.Type != "NFC" {
			return false, fmt.Errorf("type %q: %w", s.Type, ErrUnsupported)
		}
		nfc = true
	}
	return nfc, nil
}

func parsePreTokenizer(raw strictjson.Raw) (splitKind, error) {
	var s step
	if len(raw) == 0 || string(raw) == "null" {
		return 0, fmt.Errorf("none: %w", ErrUnsupported)
	}
	if err := strictjson.UnmarshalKnown(raw, &s); err != nil {
		return 0, err
	}
	steps := s.Pretokenizers
	if s.Type != "Sequence" {
		steps = []step{s}
	}
	last := len(steps) - 1
	if last < 0 || last > 1 || steps[last].Type != "ByteLevel" {
		return 0, fmt.Errorf("type %q without ByteLevel: %w", s.Type, ErrUnsupported)
	}
	if steps[last].AddPrefixSpace {
		return 0, fmt.Errorf("add_prefix_space: %w", ErrUnsupported)
	}
	useRegex := steps[last].UseRegex == nil || *steps[last].UseRegex
	if last == 0 && useRegex {
		return splitGPT2, nil
	}
	if last == 0 || useRegex {
		return 0, fmt.Errorf("ByteLevel with use_regex %v: %w", useRegex, ErrUnsupported)
	}
	split := steps[0]
	if split.Type != "Split" || split.Behavior != "Isolated" || split.Invert {
		return 0, fmt.Errorf("step %q (%s): %w", split.Type, split.Behavior, ErrUnsupported)
	}
	kind, ok := splitPatterns[split.Pattern.Regex]
	if !ok {
		return 0, fmt.Errorf("split pattern %q: %w", split.Pattern.Regex, ErrUnsupported)
	}
	return kind, nil
}

// load fills tokens and merges from the model section.
func (t *Tokenizer) load(m *fileModel) error {
	size := 0
	for token, id := range m.Vocab {
		if id < 0 || id >= maxID {
			return fmt.Errorf("vocab: token %q has id %d, expected 0 to %d", token, id, maxID-1)
		}
		size = max(size, id+1)
	}
	if size > 2*len(m.Vocab)+1024 {
		return fmt.Errorf("vocab: ids up to %d for %d tokens", size-1, len(m.Vocab))
	}
	t.tokens = make([][]byte, size)
	for token, id := range m.Vocab {
		if t.tokens[id] != nil {
			return fmt.Errorf("vocab: id %d is given to %q and another token", id, token)
		}
		t.tokens[id] = tokenBytes(token)
	}
	for rank, raw := range m.Merges {
		left, right, err := parseMerge(raw)
		if err != nil {
			return fmt.Errorf("merges: %d: %w", rank, err)
		}
		var ids [3]int32
		for i, token := range []string{left, right, left + right} {
			id, ok := m.Vocab[token]
			if !ok {
				return fmt.Errorf("merges: %d: token %q is not in vocab", rank, token)
			}
			ids[i] = int32(id)
		}
		t.merges = append(t.merges, merge{ids[0], ids[1], ids[2]})
	}
	return nil
}

// parseMerge reads "left right" or ["left", "right"].
func parseMerge(raw strictjson.Raw) (left, right string, err error) {
	var both [2]string
	if len(raw) > 0 && raw[0] == '[' {
		var list []string
		if err := strictjson.UnmarshalKnown(raw, &list); err != nil || len(list) != 2 {
			return "", "", fmt.Errorf("%s is no pair of tokens", raw)
		}
		both = [2]string(list)
		return both[0], both[1], nil
	}
	var text string
	if err := strictjson.UnmarshalKnown(raw, &text); err != nil {
		return "", "", err
	}
	left, right, ok := strings.Cut(text, " ")
	if !ok || strings.Contains(right, " ") {
		return "", "", fmt.Errorf("%q is no pair of tokens", text)
	}
	return left, right, nil
}

// finish checks what the sections must agree on and builds the lookup tables.
func (t *Tokenizer) finish() error {
	for _, a := range t.added {
		if a.ID < 0 || a.ID >= maxID {
			return fmt.Errorf("added_tokens: %q has id %d, expected 0 to %d", a.Content, a.ID, maxID-1)
		}
	}
	t.index()
	return nil
}
