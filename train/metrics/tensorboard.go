package metrics

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of TensorBoard's messages (tensorflow/core/util/event.proto, framework/summary.proto).
const (
	eventWallTime    = 1 // double
	eventStep        = 2 // int64
	eventFileVersion = 3 // string
	eventSummary     = 5 // Summary
	summaryValue     = 1 // Value
	valueTag         = 1 // string
	valueSimple      = 2 // float
)

// openEvents starts a file of events, named as TensorBoard looks for it.
func openEvents(dir string, now time.Time) (*os.File, error) {
	f, err := os.Create(filepath.Join(dir, fmt.Sprintf("events.out.tfevents.%d.%d.unmask", now.Unix(), os.Getpid())))
	if err != nil {
		return nil, err
	}
	version := protowire.AppendString(protowire.AppendTag(wallTime(now), eventFileVersion, protowire.BytesType), "brain.Event:2")
	return f, writeFrame(f, version)
}

func writeEvent(w io.Writer, r Record, now time.Time) error {
	var summary []byte
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		value := protowire.AppendString(protowire.AppendTag(nil, valueTag, protowire.BytesType), r.Kind+"/"+name)
		value = protowire.AppendTag(value, valueSimple, protowire.Fixed32Type)
		value = protowire.AppendFixed32(value, math.Float32bits(float32(r.Values[name])))
		summary = protowire.AppendBytes(protowire.AppendTag(summary, summaryValue, protowire.BytesType), value)
	}
	event := protowire.AppendVarint(protowire.AppendTag(wallTime(now), eventStep, protowire.VarintType), uint64(r.Step))
	event = protowire.AppendBytes(protowire.AppendTag(event, eventSummary, protowire.BytesType), summary)
	return writeFrame(w, event)
}

func wallTime(now time.Time) []byte {
	tag := protowire.AppendTag(nil, eventWallTime, protowire.Fixed64Type)
	return protowire.AppendFixed64(tag, math.Float64bits(float64(now.UnixMicro())/1e6))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// writeFrame writes a record of the TFRecord format: length, its checksum, data, its checksum.
func writeFrame(w io.Writer, data []byte) error {
	frame := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	frame = binary.LittleEndian.AppendUint32(frame, masked(frame))
	frame = append(frame, data...)
	frame = binary.LittleEndian.AppendUint32(frame, masked(data))
	_, err := w.Write(frame)
	return err
}

// masked is the format's rotated and shifted CRC.
func masked(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
