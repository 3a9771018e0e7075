package tokenizer

import (
	"iter"

	"github.com/unmask-lm/unmask/model/strictjson"
)

// SplitGPT2 yields the pieces that GPT-2's pattern cuts text into.
func SplitGPT2(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text = ToValid(text); text != ""; {
			n := nextGPT2(text)
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

// MarshalGPT2 writes a tokenizer.json of GPT-2's kind: tokens by id as bytes, merges by rank as pairs
// of ids, and one special token whose id follows the others.
func MarshalGPT2(tokens []string, merges [][2]int, special string) ([]byte, error) {
	vocab := make(map[string]int, len(tokens)+1)
	for id, b := range tokens {
		vocab[tokenText([]byte(b))] = id
	}
	vocab[special] = len(tokens)
	pairs := make([]string, len(merges))
	for i, m := range merges {
		pairs[i] = tokenText([]byte(tokens[m[0]])) + " " + tokenText([]byte(tokens[m[1]]))
	}
	byteLevel := map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	return strictjson.Marshal(map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "normalizer": nil,
		"added_tokens":  []addedToken{{ID: len(tokens), Content: special, Special: true}},
		"pre_tokenizer": byteLevel, "post_processor": byteLevel, "decoder": byteLevel,
		"model": map[string]any{
			"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": "",
			"end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
			"vocab": vocab, "merges": pairs,
		},
	})
}
