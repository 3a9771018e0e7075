package vocabulary_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model/tokenizer"
	"github.com/unmask-lm/unmask/train/vocabulary"
)

func TestLearn(t *testing.T) {
	texts := []string{strings.Repeat("low lower lowest newer newest wider ", 50), "naïve café 12 ½"}
	file, err := vocabulary.Learn(texts, 274)
	require.NoError(t, err)
	again, err := vocabulary.Learn(texts, 274)
	require.NoError(t, err)
	require.Equal(t, file, again, "the same text gives the same vocabulary")
	tok, err := tokenizer.Parse(file)
	require.NoError(t, err)
	require.Equal(t, 274, tok.Size())
	end, ok := tok.ID(vocabulary.EndOfText)
	require.True(t, ok)
	require.Equal(t, 273, end)
	require.Len(t, tok.Encode(" lower"), 1, "a frequent word is a token")
	for _, text := range append(texts, "anything at all: \x00\xff 日本") {
		require.Equal(t, tokenizer.ToValid(text), tok.Decode(tok.Encode(text)))
	}
	require.Equal(t, []int{end}, tok.Encode(vocabulary.EndOfText))
}

func TestLearnRefuses(t *testing.T) {
	_, err := vocabulary.Learn([]string{"abc"}, 100)
	require.ErrorContains(t, err, "at least 257")
	_, err = vocabulary.Learn([]string{"abab abab"}, 400)
	require.ErrorContains(t, err, "smaller vocabulary")
}
