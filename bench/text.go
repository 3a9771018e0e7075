package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os/exec"
	"strconv"

	"github.com/unmask-lm/unmask/runtime/protocol"
)

// textResult says what a policy trades: how fast the starter model writes with it, and how likely the
// model finds what it wrote.
type textResult struct {
	Policy          string  `json:"policy"`
	Tokens          int     `json:"tokens"`
	TokensPerPass   float64 `json:"tokens_per_pass"`
	TokensPerSecond float64 `json:"tokens_per_second"` // cpu engine, all threads
	NELBO           float64 `json:"nelbo"`             // nats a token, of the texts
	Perplexity      float64 `json:"perplexity"`
}

// policies are those compared.
var policies = []string{"first-hitting", "static:2", "static:4", "confidence:0.9", "confidence:0.8", "confidence:0.7"}

// seeds is the number of texts of each policy, and textTokens how long each is.
const (
	seeds      = 12
	textTokens = 200
)

// texts has the starter model write with each policy, and scores what it wrote, exactly.
func (r *report) texts(ctx context.Context) error {
	for _, policy := range policies {
		t := textResult{Policy: policy}
		var passes int
		var seconds, nats float64
		for seed := range seeds {
			out, err := command(ctx, "bin/unmask", "generate", "--engine", "cpu", "--json", "--policy", policy,
				"--max-tokens", strconv.Itoa(textTokens), "--seed", strconv.Itoa(seed))
			if err != nil {
				return err
			}
			var done protocol.Done
			for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
				if bytes.Contains(lines.Bytes(), []byte(`"type":"done"`)) {
					if err := json.Unmarshal(lines.Bytes(), &done); err != nil {
						return err
					}
				}
			}
			request, err := json.Marshal(protocol.Score{Tokens: done.Tokens})
			if err != nil {
				return err
			}
			score := exec.CommandContext(ctx, "bin/unmask", "score", "--engine", "cpu")
			score.Stdin = bytes.NewReader(request)
			if out, err = score.Output(); err != nil {
				return err
			}
			var result protocol.ScoreResult
			if err := json.Unmarshal(out, &result); err != nil {
				return err
			}
			t.Tokens += len(done.Tokens)
			passes += done.Passes
			seconds += done.Seconds
			nats += result.NELBO
		}
		t.TokensPerPass, t.TokensPerSecond = float64(t.Tokens)/float64(passes), float64(t.Tokens)/seconds
		t.NELBO = nats / float64(t.Tokens)
		t.Perplexity = math.Exp(t.NELBO)
		r.Text = append(r.Text, t)
	}
	return nil
}
