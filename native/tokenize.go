package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/model/tokenizer"
)

// tokenized is the answer to one line of `unmask tokenize`.
type tokenized struct {
	IDs  []int  `json:"ids"`
	Text string `json:"text"` // the ids decoded again
}

func tokenizeCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:     "tokenize --tokenizer FILE",
		Short:   `read a JSON string a line, answer {"ids":[…],"text":"decoded"} a line`,
		Example: `  echo '"Hello world"' | unmask tokenize --tokenizer tokenizer.json`,
		Args:    exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if file == "" {
				return usage("--tokenizer is required")
			}
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			tok, err := tokenizer.Open(data)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			return eachLine(c.InOrStdin(), c.OutOrStdout(), func(text string) (tokenized, error) {
				ids := tok.Encode(text)
				return tokenized{ids, tok.Decode(ids)}, nil
			})
		},
	}
	c.Flags().StringVar(&file, "tokenizer", "", "a Hugging Face tokenizer.json")
	return c
}
