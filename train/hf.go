//go:build hf

package main

import _ "github.com/unmask-lm/unmask/model/tokenizer/hf" // every other kind of tokenizer.json
