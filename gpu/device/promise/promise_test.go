//go:build js

package promise

import (
	"context"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAwait(t *testing.T) {
	promises := js.Global().Get("Promise")
	value, err := Await(context.Background(), promises.Call("resolve", 7))
	require.NoError(t, err)
	require.Equal(t, 7, value.Int())

	reason := js.Global().Get("Error").New("no")
	reason.Set("code", "quota")
	_, err = Await(context.Background(), promises.Call("reject", reason))
	var rejected *Rejection
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, "Error: no", err.Error())
	require.Equal(t, "quota", rejected.Reason.Get("code").String())

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	never := promises.New(js.FuncOf(func(js.Value, []js.Value) any { return nil }))
	_, err = Await(ctx, never)
	require.ErrorIs(t, err, context.Canceled)
}
