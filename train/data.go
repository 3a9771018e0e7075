package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/model/tokenizer"
	"github.com/unmask-lm/unmask/train/batch"
	"github.com/unmask-lm/unmask/train/corpus"
	"github.com/unmask-lm/unmask/train/shards"
)

// data are the options that say what text there is.
type data struct {
	paths  []string
	field  string
	shards string
	valid  float64
}

func (d *data) flags(c *cobra.Command) {
	p := c.Flags()
	p.StringSliceVar(&d.paths, "data", nil, "files, or folders of .txt, .jsonl and .parquet files")
	p.StringVar(&d.field, "field", corpus.DefaultField, "field of JSON lines, or column of tables, that holds a text")
	p.StringVar(&d.shards, "shards", "", "folder to keep the text in as tokens, reused when nothing changed (default: one in the user's cache)")
	p.Float64Var(&d.valid, "valid-fraction", 0.02, "share of documents held out, chosen by hash")
}

func (d *data) check() error {
	if len(d.paths) == 0 {
		return usage("--data is required")
	}
	if !(d.valid > 0 && d.valid < 1) {
		return usage("--valid-fraction is %v, expected a number between 0 and 1", d.valid)
	}
	return nil
}

// open tokenises the text, or finds it tokenised.
func (d *data) open(ctx context.Context, text *vocabularyFile) (*shards.Set, error) {
	files, err := corpus.Files(d.paths)
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	return openShards(ctx, d.shards, shards.Recipe{
		Files: files, Field: d.field, Tokenizer: text.raw, Encoder: text.codec, End: text.end, Held: d.valid,
	})
}

// openShards opens the shards in dir, or in a folder of the user's cache that belongs to the recipe.
func openShards(ctx context.Context, dir string, r shards.Recipe) (*shards.Set, error) {
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("%w; name a folder with --shards", err)
		}
		h := sha256.New()
		fmt.Fprint(h, r.Field, r.End, r.Held)
		h.Write(r.Tokenizer)
		for _, path := range r.Files {
			if absolute, err := filepath.Abs(path); err == nil {
				path = absolute
			}
			fmt.Fprintln(h, path)
		}
		dir = filepath.Join(cache, "unmask", "shards", hex.EncodeToString(h.Sum(nil)[:8]))
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("--shards: %w", err)
	}
	s, fresh, err := shards.Open(ctx, dir, r)
	if err != nil {
		return nil, err
	}
	verb := "found in"
	if fresh {
		verb = "written to"
	}
	train, held := s.Parts[shards.Train], s.Parts[shards.HeldOut]
	fmt.Fprintf(os.Stderr, "corpus: %d documents, %.2f MB, %d tokens; held out: %d documents, %.2f MB, %d tokens; %s %s\n",
		train.Documents, float64(train.Bytes)/1e6, train.Tokens, held.Documents, float64(held.Bytes)/1e6, held.Tokens, verb, dir)
	return s, nil
}

// vocabularyFile is a tokenizer with what the trainer needs to know of it.
type vocabularyFile struct {
	raw       []byte
	codec     tokenizer.Codec
	end, mask int
}

// openVocabulary reads a tokenizer.json. A tokenizer without a mask gets one behind its last token.
func openVocabulary(name string, raw []byte) (*vocabularyFile, error) {
	codec, err := tokenizer.Open(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	v := &vocabularyFile{raw: raw, codec: codec, mask: codec.Size()}
	var ok bool
	if v.end, ok = tokenizer.EndOf(codec.ID); !ok {
		return nil, fmt.Errorf("%s: no token ends a document; expected <|endoftext|>, [SEP], </s> or <eos>", name)
	}
	if mask, ok := tokenizer.MaskOf(codec.ID); ok {
		v.mask = mask
	}
	return v, nil
}

// size is V, the mask included.
func (v *vocabularyFile) size() int { return max(v.codec.Size(), v.mask+1) }

// byteCounter tells how much text a sequence stands for: exactly for byte-level tokens, of which
// end-of-text stands for none; by the part's average for others.
func (v *vocabularyFile) byteCounter(part shards.Part) func([]int32) int64 {
	own, ok := v.codec.(*tokenizer.Tokenizer)
	if !ok {
		average := float64(part.Bytes) / float64(max(1, part.Tokens))
		return func(ids []int32) int64 { return int64(average * float64(len(ids))) }
	}
	size := make([]int64, own.Size())
	for id := range size {
		if id != v.end {
			size[id] = int64(len(own.Bytes([]int{id})))
		}
	}
	return func(ids []int32) (n int64) {
		for _, id := range ids {
			n += size[id]
		}
		return n
	}
}

// stream wraps one side of the text.
func stream(tokens batch.Tokens, length int, seed uint64, what string) (*batch.Stream, error) {
	s, err := batch.New(tokens, length, seed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return s, nil
}
