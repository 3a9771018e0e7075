// Package enginetest is the conformance suite that every engine runs, natively and in the browser:
// the reference's golden numbers, agreement with an oracle on random shapes, the block cache, and the
// same tokens for the same seed. An engine's own test is one call of Run.
package enginetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
)

// Tolerances of logits and log-probabilities between engines.
const (
	// Logits of models of a few layers stay below 10; float32 in another order of summation differs
	// by some 1e-6 of that, and every engine is allowed a hundred times as much.
	LogitTolerance = 1e-4
	// CacheTolerance is for the same engine with and without its cache: the same sums, grouped
	// differently.
	CacheTolerance = 1e-4
)

// Suite is what the tests need of an engine.
type Suite struct {
	// Open opens the engine under test on a pack.
	Open func(t testing.TB, p *model.Pack) runtime.Engine
	// Oracle opens the engine that it is held to.
	Oracle func(p *model.Pack) runtime.Engine
}

// Run runs the whole suite.
func Run(t *testing.T, s Suite) {
	t.Run("GoldenLogits", s.goldenLogits)
	t.Run("GoldenNELBO", s.goldenNELBO)
	t.Run("RandomShapes", s.randomShapes)
	t.Run("CacheFusedUncached", s.cacheAgrees)
	t.Run("Truncate", s.truncate)
	t.Run("ShortBlock", s.shortBlock)
	t.Run("Draws", s.draws)
	t.Run("SameSeedSameTokens", s.sameTokens)
	t.Run("BeyondWindow", s.beyondWindow)
	t.Run("BadRequests", s.badRequests)
}

// open opens the engine under test and closes it with the test.
func (s Suite) open(t testing.TB, p *model.Pack) runtime.Engine {
	t.Helper()
	e := s.Open(t, p)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

// commit and logits fail the test on error.
func commit(t testing.TB, e runtime.Engine, tokens []int) {
	t.Helper()
	require.NoError(t, e.Commit(context.Background(), tokens))
}

func logits(t testing.TB, e runtime.Engine, canvas []int) []float32 {
	t.Helper()
	out, err := e.Logits(context.Background(), canvas)
	require.NoError(t, err)
	require.Len(t, out, len(canvas)*e.Config().Vocab)
	return out
}

// near compares two rows of numbers and shows the first few that differ.
func near(t testing.TB, want, got []float32, tolerance float64, format string, args ...any) {
	t.Helper()
	require.Len(t, got, len(want))
	shown := 0
	for i := range want {
		diff := float64(want[i]) - float64(got[i])
		if !(diff <= tolerance && diff >= -tolerance) { // NaN fails too
			t.Errorf("index %d: want %v, got %v", i, want[i], got[i])
			if shown++; shown == 5 {
				break
			}
		}
	}
	require.Zero(t, shown, append([]any{format}, args...)...)
}
