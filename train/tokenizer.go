package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/train/corpus"
	"github.com/unmask-lm/unmask/train/vocabulary"
)

func tokenizerCommand() *cobra.Command {
	var data []string
	var out, field string
	var size int
	c := &cobra.Command{
		Use:     "tokenizer --data PATH --vocab N --out FILE",
		Short:   "learn a byte-level BPE from text and write its tokenizer.json",
		Example: "  train tokenizer --data corpus --vocab 4095 --out tokenizer.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			files, err := corpus.Files(data)
			if err != nil {
				return fmt.Errorf("--data: %w", err)
			}
			var texts []string
			bytes := 0
			for _, file := range files {
				err := corpus.Documents(file, field, func(text string) error {
					texts, bytes = append(texts, text), bytes+len(text)
					return nil
				})
				if err != nil {
					return err
				}
			}
			fmt.Fprintf(os.Stderr, "learning %d tokens from %.1f MB\n", size, float64(bytes)/1e6)
			file, err := vocabulary.Learn(texts, size)
			if err != nil {
				return fmt.Errorf("--vocab: %w", err)
			}
			return writeFile(out, file)
		},
	}
	c.Flags().StringSliceVar(&data, "data", nil, "files, or folders of .txt, .jsonl and .parquet files")
	c.Flags().StringVar(&field, "field", corpus.DefaultField, "field of JSON lines, or column of tables, that holds a text")
	c.Flags().StringVar(&out, "out", "tokenizer.json", "file to write")
	c.Flags().IntVar(&size, "vocab", 4095, "tokens, the end-of-text token included; the mask token comes on top")
	return c
}

// writeFile writes beside path and renames.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
