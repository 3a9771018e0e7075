package segments

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func module(list []segment) []byte {
	body := write(list)
	m := append([]byte("\x00asm\x01\x00\x00\x00"), 0, 3, 1, 'x', 7) // a custom section stands before
	m = binary.AppendUvarint(append(m, dataSection), uint64(len(body)))
	return append(m, body...)
}

// memory is what the segments leave in memory.
func memory(list []segment) []byte {
	var m []byte
	for _, s := range list {
		if n := s.at + len(s.data); n > len(m) {
			m = append(m, make([]byte, n-len(m))...)
		}
		copy(m[s.at:], s.data)
	}
	return m
}

func TestJoinKeepsMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []segment
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			list = append(list, segment{rapid.IntRange(0, 20000).Draw(t, "at"), rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "data")})
		}
		out, err := Join(module(list))
		require.NoError(t, err)
		again, err := read(write(join(list)))
		require.NoError(t, err)
		require.Equal(t, module(again), out)
		require.Equal(t, memory(list), memory(again))
	})
}

func TestJoinsNeighbours(t *testing.T) {
	far := uint32(3 << 30) // beyond what a signed number holds
	out := join([]segment{{9 + maxGap, []byte{2}}, {8, []byte{1}}, {11 + 2*maxGap, []byte{3}}, {int(far), []byte{4}}})
	require.Len(t, out, 3)
	require.Len(t, out[0].data, maxGap+2)
	again, err := read(write(out))
	require.NoError(t, err)
	require.Equal(t, out, again)
}

func TestJoinRefuses(t *testing.T) {
	whole := module([]segment{{3, []byte("abc")}})
	for n := range len(whole) {
		if n == header || n == header+5 { // a module may end behind any section
			continue
		}
		_, err := Join(whole[:n])
		require.Error(t, err, n)
	}
	passive := append([]byte("\x00asm\x01\x00\x00\x00"), dataSection, 6, 1, 1, 2, 'a', 'b', 0)
	_, err := Join(passive)
	require.Error(t, err)
}

func FuzzJoin(f *testing.F) {
	f.Add(module([]segment{{3, []byte("abc")}, {10, []byte("d")}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := Join(data)
		if err != nil {
			return
		}
		again, err := Join(out)
		require.NoError(t, err)
		require.LessOrEqual(t, len(again), len(out)+len(out)/2)
	})
}
