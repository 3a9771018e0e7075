package session

import (
	"context"
	"errors"
	"math"

	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/protocol"
)

// Score bounds the negative log-likelihood of tokens or of a text; seed decides the estimate where it
// is not exact.
func (s *Session) Score(ctx context.Context, q protocol.Score, seed uint64) (*protocol.ScoreResult, error) {
	tokens := q.Tokens
	if q.Text != nil {
		if q.Tokens != nil {
			return nil, errors.New("both tokens and text given, expected one")
		}
		if s.Codec == nil {
			return nil, ErrNoTokenizer
		}
		tokens = s.Codec.Encode(*q.Text)
	}
	scored, err := runtime.Score(ctx, s.Engine, tokens, seed)
	if err != nil {
		return nil, err
	}
	nelbo := scored.NELBO()
	return &protocol.ScoreResult{
		NELBO: nelbo, Tokens: len(tokens), PPL: math.Exp(nelbo / float64(len(tokens))),
		PerToken: scored.PerToken, Exact: scored.Exact, StdErr: scored.StdErr,
	}, nil
}
