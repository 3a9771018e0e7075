package sha256

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestHex(t *testing.T) {
	require.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Hex([]byte("abc")))
}

func TestPlain(t *testing.T) {
	for n := range 200 { // every way to fill the last block
		data := make([]byte, n)
		require.Equal(t, Sum(data), sum(data), n)
	}
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "data")
		require.Equal(t, Sum(data), sum(data))
	})
}

func BenchmarkPlain(b *testing.B) {
	data := make([]byte, 1<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		sum(data)
	}
}
