package batch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/train/batch"
)

func stream(t *testing.T, n, tokens int, seed uint64) *batch.Stream {
	t.Helper()
	ids := make([]int32, tokens)
	for i := range ids {
		ids[i] = int32(i)
	}
	s, err := batch.New(batch.Memory(ids), n, seed)
	require.NoError(t, err)
	return s
}

// Every sequence comes once an epoch, and any batch can be had at any time.
func TestBatches(t *testing.T) {
	s := stream(t, 4, 43, 1)
	require.Equal(t, 10, s.Sequences(), "the remainder is dropped")
	var orders [][]int32
	for epoch := range uint64(3) {
		seen := map[int32]int{}
		var order []int32
		out := make([]int32, 8)
		for step := range uint64(5) {
			require.NoError(t, s.Batch(epoch*5+step, out))
			for i := 0; i < 8; i += 4 {
				require.Equal(t, []int32{out[i], out[i] + 1, out[i] + 2, out[i] + 3}, out[i:i+4])
				seen[out[i]]++
				order = append(order, out[i])
			}
		}
		require.Len(t, seen, 10)
		orders = append(orders, order)
	}
	require.NotEqual(t, orders[0], orders[1])

	again, out, want := stream(t, 4, 43, 1), make([]int32, 12), make([]int32, 12)
	for _, step := range []uint64{7, 2, 3, 11, 0} { // batches of three span epochs
		require.NoError(t, again.Batch(step, out))
		require.NoError(t, stream(t, 4, 43, 1).Batch(step, want))
		require.Equal(t, want, out)
	}
	require.NoError(t, stream(t, 4, 43, 2).Batch(0, out))
	require.NoError(t, stream(t, 4, 43, 1).Batch(0, want))
	require.NotEqual(t, want, out, "another seed, another order")
}

func TestTooShort(t *testing.T) {
	_, err := batch.New(make(batch.Memory, 3), 4, 1)
	require.ErrorContains(t, err, "3 tokens")
}
