package tokenizer

// MaskOf finds the mask by the names that BD3-LM tokenizers give it, through a Codec's ID. The reference
// adds [PAD] to GPT-2's tokenizer under the mask's id.
func MaskOf(id func(content string) (int, bool)) (int, bool) {
	return firstOf(id, "[MASK]", "<|mask|>", "<mask>", "[PAD]")
}

// EndOf finds the token that ends a document.
func EndOf(id func(content string) (int, bool)) (int, bool) {
	return firstOf(id, "<|endoftext|>", "[SEP]", "</s>", "<eos>")
}

func firstOf(id func(string) (int, bool), contents ...string) (int, bool) {
	for _, content := range contents {
		if id, ok := id(content); ok {
			return id, true
		}
	}
	return 0, false
}
