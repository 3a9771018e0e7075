package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/tokenizer"
)

// verified is what `unmask verify` prints of a sound pack.
type verified struct {
	OK    bool  `json:"ok"`
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

func verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "verify DIR",
		Short:   "check every byte of a pack",
		Example: "  unmask verify models/starter",
		Args:    exactly(1, "the folder of a pack"),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := openDir(c.Context(), args[0])
			if err != nil {
				return err
			}
			if err := verifyTokenizer(p); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			var bytes int64
			for _, f := range p.Manifest.Files {
				bytes += f.Size
			}
			return writeLine(os.Stdout, verified{true, len(p.Manifest.Files), bytes})
		},
	}
}

// verifyTokenizer opens the tokenizer in both its forms, where this program can.
func verifyTokenizer(p *model.Pack) error {
	check := func(name string, data []byte, open func([]byte) (tokenizer.Codec, error)) error {
		if data == nil {
			return nil
		}
		tok, err := open(data)
		if errors.Is(err, tokenizer.ErrUnsupported) {
			return nil
		}
		if err == nil && tok.Size() > p.Config.Vocab {
			err = fmt.Errorf("has %d tokens, the model only %d", tok.Size(), p.Config.Vocab)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	return errors.Join(
		check(model.TokenizerFile, p.Tokenizer, tokenizer.Open),
		check(model.VocabularyFile, p.Vocabulary, func(data []byte) (tokenizer.Codec, error) { return tokenizer.ParseBinary(data) }),
	)
}
