package source

import (
	"fmt"
	"path/filepath"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/strictjson"
	"github.com/unmask-lm/unmask/model/tokenizer"
	"github.com/unmask-lm/unmask/train/checkpoint"
)

// addTrainer reads what our trainer leaves beside the Hub layout; a folder without it stays as it is.
func (s *Source) addTrainer(dir string) error {
	text, err := optional(dir, checkpoint.TrainerFile)
	if err != nil || text == nil {
		return err
	}
	var t checkpoint.Trainer
	if err := strictjson.Unmarshal(text, &t); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, checkpoint.TrainerFile), err)
	}
	if t.Objective != "bd3lm" && t.Objective != "mdlm" {
		return fmt.Errorf("%s: objective is %q: not a block-diffusion model", filepath.Join(dir, checkpoint.TrainerFile), t.Objective)
	}
	s.BOS, s.EOS = t.EOS, t.EOS
	s.Provenance = t.Provenance
	s.Provenance.Source = fmt.Sprintf("trained by train, seed %d", t.Seed)
	s.Provenance.Steps, s.Provenance.Tokens, s.Provenance.Device = t.Step, t.Tokens, t.Device
	s.Provenance.HeldOutNELBO, s.Provenance.HeldOutBitsByte = t.HeldOut.NELBO, t.HeldOut.BitsByte
	s.Provenance.HeldOutBytes = t.HeldOut.Bytes
	return nil
}

// CheckTokenizer settles the mask and the end-of-text token from a tokenizer of size tokens whose
// contents id finds.
func (s *Source) CheckTokenizer(size int, id func(content string) (int, bool)) error {
	v := s.Config.Vocab
	switch {
	case size == v-1: // the mask was appended
		s.Config.Mask = v - 1
	case size == v:
		mask, ok := tokenizer.MaskOf(id)
		if !ok {
			return fmt.Errorf("%s: has %d tokens, as many as vocab_size, but no mask token ([MASK], <|mask|>, [PAD])", model.TokenizerFile, size)
		}
		s.Config.Mask = mask
	default:
		return fmt.Errorf("%s: has %d tokens, expected %d (the mask comes on top) or %d (vocab_size): it belongs to another model", model.TokenizerFile, size, v-1, v)
	}
	if end, ok := tokenizer.EndOf(id); ok && s.EOS == model.NoToken {
		s.BOS, s.EOS = end, end
	}
	if cls, ok := id("[CLS]"); ok {
		s.BOS = cls
	}
	return nil
}
