//go:build hf

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/train/checkpoint"
)

func init() { tags = "hf" }

// A WordPiece tokenizer, of bert-base-uncased's kind, trains too: its own mask and separator serve.
func TestWordPiece(t *testing.T) {
	data, _ := prepare(t)
	vocab := map[string]int{}
	for _, token := range strings.Fields("[PAD] [UNK] [CLS] [SEP] [MASK] the a small large cat dog house river sees takes finds old new and under over with gree ##n") {
		vocab[token] = len(vocab)
	}
	var added []map[string]any
	for _, token := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		added = append(added, map[string]any{
			"id": vocab[token], "content": token, "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
		})
	}
	file, err := json.Marshal(map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": added, "post_processor": nil,
		"normalizer":    map[string]any{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": nil, "lowercase": true},
		"pre_tokenizer": map[string]any{"type": "BertPreTokenizer"},
		"decoder":       map[string]any{"type": "WordPiece", "prefix": "##", "cleanup": true},
		"model": map[string]any{
			"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab,
		},
	})
	require.NoError(t, err)
	tokenizer, dir := filepath.Join(t.TempDir(), "bert.json"), filepath.Join(t.TempDir(), "run")
	require.NoError(t, os.WriteFile(tokenizer, file, 0o644))
	code, out := run(t, options(data, tokenizer, dir)...)
	require.Zero(t, code, out)
	require.Contains(t, out, "sample: ")
	s, err := checkpoint.Load(filepath.Join(dir, "step-00000040"))
	require.NoError(t, err)
	require.Equal(t, vocab["[MASK]"], s.Trainer.Mask)
	require.Equal(t, vocab["[SEP]"], s.Trainer.EOS)
	require.Equal(t, len(vocab), s.Config.VocabSize)
	code, out = run(t, "eval", "--in", dir, "--data", data, "--valid-fraction", "0.1", "--backend", "go")
	require.Zero(t, code, out)
	require.Greater(t, last(t, out)["bits_per_byte"], 0.)
}
