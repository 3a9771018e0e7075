package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/unmask-lm/unmask/model/strictjson"
)

// maxLine bounds one request on standard input.
const maxLine = 256 << 20

// eachLine answers every JSON request of in, one a line, with one line of JSON on out.
func eachLine[Q, A any](in io.Reader, out io.Writer, answer func(Q) (A, error)) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxLine)
	w := bufio.NewWriter(out)
	for n := 1; scanner.Scan(); n++ {
		line := bytes.TrimSpace(scanner.Bytes())
		if len(line) == 0 {
			continue
		}
		var q Q
		if err := strictjson.Unmarshal(line, &q); err != nil {
			return fmt.Errorf("standard input, line %d: %w", n, err)
		}
		a, err := answer(q)
		if err != nil {
			return fmt.Errorf("standard input, line %d: %w", n, err)
		}
		if err := writeLine(w, a); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return scanner.Err()
}

// writeLine writes v as one line of JSON, with <, > and & as they are.
func writeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
