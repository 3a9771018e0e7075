package device

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A submission holds what runs in a tenth of a second at the speed that was seen, and at least one pass.
func TestPace(t *testing.T) {
	d := &Device{}
	require.Equal(t, 2, d.Fit(1e8), "a slow adapter is assumed at first")
	d.pace.learn(1e9, time.Now().Add(-time.Second))
	require.InEpsilon(t, 1e9, d.pace.perSecond, 0.05)
	require.Equal(t, 1, d.Fit(1e9))
	require.InDelta(t, 100, d.Fit(1e6), 10)
	for range 50 { // work queued behind other work counts from when that ended
		d.pace.ended = time.Now().Add(-time.Millisecond)
		d.pace.learn(1e9, time.Now().Add(-time.Hour))
	}
	require.Greater(t, d.Fit(1e9), 10)
}
