package record_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/gpu/record"
)

func TestTotals(t *testing.T) {
	var r record.Recording
	r.Add(record.Command{Kernel: "a", Label: "first", Groups: [3]uint32{1, 2, 3}, Read: 10, Written: 1, FLOPs: 100})
	r.Add(record.Command{Kernel: "b", Label: "second", Read: 20, Written: 2, FLOPs: 200})
	dispatches, read, written, flops := r.Totals()
	require.Equal(t, []int64{2, 30, 3, 300}, []int64{int64(dispatches), read, written, flops})
	require.Contains(t, r.String(), "first")
	require.Contains(t, r.String(), "1×2×3")
}
