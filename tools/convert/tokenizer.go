package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/tokenizer"
	"github.com/unmask-lm/unmask/tools/convert/source"
)

// checkTokenizer refuses a tokenizer that does not fit the model, and takes the special tokens from
// one that does. A checkpoint without tokenizer converts too.
func checkTokenizer(s *source.Source) error {
	if s.Tokenizer == nil {
		return nil
	}
	tok, err := tokenizer.Parse(s.Tokenizer)
	if err == nil {
		return s.CheckTokenizer(tok.Size(), tok.ID)
	}
	if !errors.Is(err, tokenizer.ErrUnsupported) {
		return fmt.Errorf("%s: %w", model.TokenizerFile, err)
	}
	ids, err := otherKind(s.Tokenizer)
	if err != nil {
		return fmt.Errorf("%s: %w", model.TokenizerFile, err)
	}
	size := 0
	for _, id := range ids {
		size = max(size, id+1)
	}
	return s.CheckTokenizer(size, func(content string) (int, bool) {
		id, ok := ids[content]
		return id, ok
	})
}

// otherKind lists the tokens of a tokenizer that only the native command can run: those of a
// vocabulary written as an object, and the added ones.
func otherKind(text []byte) (map[string]int, error) {
	var f struct {
		Added []struct {
			ID      int    `json:"id"`
			Content string `json:"content"`
		} `json:"added_tokens"`
		Model struct {
			Vocab json.RawMessage `json:"vocab"`
		} `json:"model"`
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, err
	}
	ids := map[string]int{}
	if err := json.Unmarshal(f.Model.Vocab, &ids); err != nil {
		var list [][2]any // Unigram: [token, score]
		if err := json.Unmarshal(f.Model.Vocab, &list); err != nil {
			return nil, errors.New("model.vocab is neither an object nor a list")
		}
		for id, entry := range list {
			if token, ok := entry[0].(string); ok {
				ids[token] = id
			}
		}
	}
	for _, a := range f.Added {
		ids[a.Content] = a.ID
	}
	return ids, nil
}
