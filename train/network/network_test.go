package network_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute/gobackend"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/model/golden"
	"github.com/unmask-lm/unmask/model/safetensors"
	"github.com/unmask-lm/unmask/train/network"
	"github.com/unmask-lm/unmask/train/objective"
)

// loadTiny reads the golden checkpoint as a flat vector.
func loadTiny(t *testing.T) (*model.HubConfig, network.Layout, []float32) {
	t.Helper()
	dir := golden.Checkpoint(t)
	text, err := os.ReadFile(filepath.Join(dir, model.ConfigFile))
	require.NoError(t, err)
	var c model.HubConfig
	require.NoError(t, json.Unmarshal(text, &c))
	layout := network.NewLayout(&c)
	f, err := safetensors.Open(filepath.Join(dir, "model.safetensors"))
	require.NoError(t, err)
	defer f.Close()
	var flat []float32
	for _, s := range layout.Specs {
		values, err := f.Float32s(s.Name)
		require.NoError(t, err)
		require.Len(t, values, s.Size(), s.Name)
		flat = append(flat, values...)
	}
	return &c, layout, flat
}

func ids(values []int) [][]int32 {
	row := make([]int32, len(values))
	for i, v := range values {
		row[i] = int32(v)
	}
	return [][]int32{row}
}

// The doubled pass gives the reference's logits and losses at every block size.
func TestDoubledPassEqualsReference(t *testing.T) {
	c, layout, flat := loadTiny(t)
	cases := golden.Load(t)
	backend, err := gobackend.New("ops_sequential")
	require.NoError(t, err)
	defer backend.Finalize()
	for _, want := range cases.Cases {
		exec, err := NewExec(backend, func(weights, xt, x0 *Node) []*Node {
			net := network.New(c, layout.Split(weights), c.ModelLength, network.Options{}, 0, nil)
			logits := net.Doubled(xt, x0, want.Block, nil)
			return []*Node{logits, objective.NLL(logits, Reshape(x0, -1), cases.Config.Mask)}
		})
		require.NoError(t, err)
		out, err := exec.Call(flat, ids(want.XT), ids(cases.X0))
		require.NoError(t, err)
		logits, ok := out[0].Value().([][]float32)
		require.True(t, ok)
		nll, err := tensors.CopyFlatData[float32](out[1])
		require.NoError(t, err)
		for i, row := range want.Logits {
			require.InDeltaSlice(t, row, logits[i], golden.Tolerance, "block size %d, row %d", want.Block, i)
			if want.XT[i] == cases.Config.Mask {
				require.InDelta(t, want.NLL[i], nll[i], golden.Tolerance, "block size %d, row %d", want.Block, i)
			}
		}
	}
}

// Every block is the identity at the start, and the head is zero: the first loss is ln(V-1).
func TestInitialValues(t *testing.T) {
	c, layout, _ := loadTiny(t)
	params := layout.Slices(layout.Init(1))
	require.Len(t, params, len(layout.Specs))
	for name, values := range params {
		switch {
		case name == model.HubHead+".weight", name == model.HubLayer(0, model.HubAdaLN)+".weight":
			for _, v := range values {
				require.Zero(t, v, name)
			}
		case name == model.HubLayer(1, model.HubNorm2):
			for _, v := range values {
				require.Equal(t, float32(1), v, name)
			}
		case name == model.HubEmbedding:
			bound := 0.1768 // 1/√32
			require.Equal(t, 32, c.HiddenDim)
			for _, v := range values {
				require.InDelta(t, 0, v, bound, name)
			}
			require.NotEqual(t, values[0], values[1])
		}
	}
	require.Equal(t, layout.Init(1), layout.Init(1), "the same seed gives the same weights")
	require.NotEqual(t, layout.Init(1), layout.Init(2))
}

// The mask of the doubled pass, as a truth table (BD3-LM paper, figure 3).
func TestMasks(t *testing.T) {
	for _, n := range []int{4, 8} {
		for _, block := range []int{1, 2, 4} {
			for q := range n {
				offset, causal := 0, 0
				for k := range n {
					if network.OffsetBlockCausal(q, k, block) {
						offset++
						require.Less(t, k, q/block*block)
					}
					if network.BlockCausal(q, k, block) {
						causal++
						require.Less(t, k, (q/block+1)*block)
					}
				}
				require.Equal(t, q/block*block, offset)
				require.Equal(t, (q/block+1)*block, causal)
				if block == 1 {
					require.Equal(t, q+1, causal, "causal over clean tokens")
				}
			}
		}
	}
}
