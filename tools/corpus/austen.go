package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// readAusten reads the novels out of the R package janeaustenr: a file of zlib streams, each behind its
// unpacked size, that hold R's serialisation of one vector of lines.
func readAusten(packages string) (out []string, err error) {
	data, err := os.ReadFile(filepath.Join(packages, "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"))
	if err != nil {
		return nil, err
	}
	r := bytes.NewReader(data)
	for r.Len() > 4 {
		if _, err := r.Seek(4, io.SeekCurrent); err != nil {
			return nil, err
		}
		z, err := zlib.NewReader(r) // reads byte by byte, so r then stands behind the stream
		if err != nil {
			return nil, err
		}
		object, err := io.ReadAll(z)
		if err != nil {
			return nil, err
		}
		lines, err := stringVector(object)
		if err != nil {
			return nil, err
		}
		out = append(out, strings.Split(strings.Join(lines, "\n"), "\n\n")...)
	}
	return out, nil
}

// Types of R's serialisation, in the low byte of an item's flags (R Internals, section 1.8).
const (
	rString  = 9
	rStrings = 16
)

// stringVector finds the first vector of strings in a serialised object and reads it.
func stringVector(object []byte) ([]string, error) {
	for at := 0; at+8 <= len(object); at++ {
		if lines, ok := stringsAt(object[at:]); ok {
			return lines, nil
		}
	}
	return nil, errors.New("no vector of strings in an R object")
}

func stringsAt(data []byte) (out []string, ok bool) {
	if binary.BigEndian.Uint32(data) != rStrings {
		return nil, false
	}
	count := binary.BigEndian.Uint32(data[4:])
	data = data[8:]
	for range count {
		if len(data) < 8 || binary.BigEndian.Uint32(data)&0xff != rString {
			return nil, false
		}
		size := binary.BigEndian.Uint32(data[4:])
		if data = data[8:]; uint64(size) > uint64(len(data)) {
			return nil, false
		}
		out = append(out, string(data[:size]))
		data = data[size:]
	}
	return out, len(out) > 100
}
