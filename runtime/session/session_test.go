package session_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/golden"
	"github.com/unmask-lm/unmask/model/tokenizer"
	"github.com/unmask-lm/unmask/runtime/enginetest"
	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/runtime/session"
)

// bytesSession is a random model over single bytes: most of what it writes is no UTF-8.
func bytesSession(t *testing.T) *session.Session {
	t.Helper()
	tokens := make([]string, 256)
	for b := range tokens {
		tokens[b] = string([]byte{byte(b)})
	}
	file, err := tokenizer.MarshalGPT2(tokens, nil, "<|endoftext|>")
	require.NoError(t, err)
	c := model.Config{
		ModelType: model.ModelType, Vocab: 258, Hidden: 16, Layers: 1, Heads: 2, Inner: 64, Window: 64, Block: 4, Mask: 257, NormEps: 1e-5, RopeBase: 10000,
	}
	p := enginetest.Random(c, "f32", rand.New(rand.NewPCG(1, 1)))
	p.Tokenizer = file
	p.Manifest.BOS, p.Manifest.EOS = 256, 256
	p.Manifest.Sampling = model.Sampling{Policy: "first-hitting", Temperature: 1, TopP: 1, MaxTokens: 10}
	s, err := session.New(p, cpu.New(p))
	require.NoError(t, err)
	return s
}

// The text of all blocks is the text of the whole, whatever bytes come, and nothing is sent twice.
func TestBlockTextsAddUp(t *testing.T) {
	s := bytesSession(t)
	n := 30
	for seed := range uint64(20) {
		var text string
		var tokens []int
		var done protocol.Done
		reveals := 0
		require.NoError(t, s.Generate(context.Background(), protocol.Generate{Prompt: "é", Seed: seed, MaxTokens: &n}, func(e any) error {
			switch e := e.(type) {
			case protocol.Canvas:
				if e.Block == 0 {
					require.Equal(t, []int{256, 0xc3, 0xa9, -1}, e.Tokens, "the first token, the prompt, a mask")
				}
			case protocol.Reveal:
				reveals++
				require.InDelta(t, 0.5, e.Prob, 0.5)
			case protocol.Block:
				text += e.Text
				tokens = append(tokens, e.Tokens...)
			case protocol.Done:
				done = e
			}
			return nil
		}))
		require.Equal(t, done.Tokens, tokens)
		require.GreaterOrEqual(t, reveals, len(tokens))
		require.Equal(t, done.Text, text+tokenizer.ToValid(done.Text[len(text):]), "blocks hold back an incomplete end at most")
		require.LessOrEqual(t, len(done.Text)-len(text), 3)
		if done.Reason == "eos" {
			require.Equal(t, 256, tokens[len(tokens)-1])
			require.NotContains(t, done.Text, "endoftext")
		} else {
			require.Equal(t, "length", done.Reason)
			require.Len(t, tokens, n)
		}
	}
}

func TestDefaultsComeFromThePack(t *testing.T) {
	s := bytesSession(t)
	s.Pack.Manifest.EOS = model.NoToken
	var done protocol.Done
	require.NoError(t, s.Generate(context.Background(), protocol.Generate{}, func(e any) error {
		done, _ = e.(protocol.Done)
		return nil
	}))
	require.Len(t, done.Tokens, 10)
	require.ErrorContains(t, s.Generate(context.Background(), protocol.Generate{Policy: "none"}, nil), "unknown policy")
	broken := errors.New("pipe closed")
	require.ErrorIs(t, s.Generate(context.Background(), protocol.Generate{}, func(any) error { return broken }), broken)
}

func TestWithoutTokenizer(t *testing.T) {
	p := golden.Pack(t, 4)
	s, err := session.New(p, cpu.New(p))
	require.NoError(t, err)
	require.ErrorIs(t, s.Generate(context.Background(), protocol.Generate{}, nil), session.ErrNoTokenizer)
	text := "x"
	_, err = s.Score(context.Background(), protocol.Score{Text: &text}, 0)
	require.ErrorIs(t, err, session.ErrNoTokenizer)
	_, err = s.Score(context.Background(), protocol.Score{Text: &text, Tokens: []int{1}}, 0)
	require.ErrorContains(t, err, "expected one")
	scored, err := s.Score(context.Background(), protocol.Score{Tokens: []int{1, 2, 3}}, 0)
	require.NoError(t, err)
	require.Len(t, scored.PerToken, 3)
	p.Tokenizer = []byte(`{"model":{"type":"WordPiece"}}`)
	_, err = session.New(p, nil)
	require.ErrorContains(t, err, "WordPiece")
}
