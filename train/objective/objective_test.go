package objective_test

import (
	"math"
	"testing"

	"github.com/gomlx/compute/gobackend"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/train/objective"
)

// The loss of a row is -ln of its target's share; a suppressed mask has none, however high its logit.
func TestNLL(t *testing.T) {
	backend, err := gobackend.New("ops_sequential")
	require.NoError(t, err)
	defer backend.Finalize()
	ln := func(p float64) float32 { return float32(math.Log(p)) }
	logits := [][]float32{{ln(.5), ln(.25), ln(.25), 20}, {ln(.1), ln(.1), ln(.8), 0}}
	for mask, want := range map[int][]float64{
		3:  {math.Log(4), -math.Log(.8)},
		-1: {math.Log(4) + math.Log1p(math.Exp(20)), -math.Log(.8) + math.Log(2)},
	} {
		exec, err := NewExec(backend, func(logits, targets *Node) *Node { return objective.NLL(logits, targets, mask) })
		require.NoError(t, err)
		out, err := exec.Call(logits, []int32{1, 2})
		require.NoError(t, err)
		got, err := tensors.CopyFlatData[float32](out[0])
		require.NoError(t, err)
		for i := range want {
			require.InDelta(t, want[i], got[i], 1e-5, "mask %d, row %d", mask, i)
		}
	}
}
