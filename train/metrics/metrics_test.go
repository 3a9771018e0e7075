package metrics

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

func record(step int, loss float64) Record {
	return Record{Step: step, Kind: Train, Values: map[string]float64{"loss": loss, "lr": 3e-4}}
}

func TestLogGoesOn(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir, 0)
	require.NoError(t, err)
	for step := 1; step <= 5; step++ {
		require.NoError(t, l.Write(record(step, 1/float64(step))))
	}
	require.NoError(t, l.Close())
	f, err := os.OpenFile(filepath.Join(dir, File), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"step":6,"ki`) // the plug was pulled here
	require.NoError(t, err)
	require.NoError(t, f.Close())

	l, err = Open(dir, 3)
	require.NoError(t, err)
	require.NoError(t, l.Write(record(4, 9)))
	require.NoError(t, l.Close())
	got, err := Read(dir)
	require.NoError(t, err)
	require.Equal(t, []Record{record(1, 1), record(2, 0.5), record(3, 1./3), record(4, 9)}, got)
	require.Error(t, func() error { _, err := Open(filepath.Join(dir, "absent"), 0); return err }())
}

func TestNumbersThatAreNone(t *testing.T) {
	l, err := Open(t.TempDir(), 0)
	require.NoError(t, err)
	require.ErrorContains(t, l.Write(record(1, math.NaN())), "loss")
}

// The checksums are those of the format, and the message can be taken apart again.
func TestTensorBoard(t *testing.T) {
	require.Equal(t, uint32(0xa282ead8), masked(nil))
	dir := t.TempDir()
	l, err := Open(dir, 0)
	require.NoError(t, err)
	require.NoError(t, l.Write(record(7, 2.5)))
	require.NoError(t, l.Close())
	files, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	data, err := os.ReadFile(files[0])
	require.NoError(t, err)
	var messages [][]byte
	for len(data) > 0 {
		n := binary.LittleEndian.Uint64(data)
		require.Equal(t, masked(data[:8]), binary.LittleEndian.Uint32(data[8:]))
		require.Equal(t, masked(data[12:12+n]), binary.LittleEndian.Uint32(data[12+n:]))
		messages, data = append(messages, data[12:12+n]), data[16+n:]
	}
	require.Len(t, messages, 2)
	require.Contains(t, string(messages[0]), "brain.Event:2")
	require.Contains(t, string(messages[1]), "train/loss")
	_, _, n := protowire.ConsumeField(messages[1])
	num, _, m := protowire.ConsumeTag(messages[1][n:])
	require.EqualValues(t, eventStep, num)
	step, _ := protowire.ConsumeVarint(messages[1][n+m:])
	require.EqualValues(t, 7, step)
}
