// Package metrics keeps the numbers of a training run: a line of JSON each in metrics.jsonl, and the same
// as TensorBoard events beside it.
package metrics

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// File is the name of the lines of JSON inside a run's folder.
const File = "metrics.jsonl"

// Kinds of records.
const (
	Train    = "train"    // loss, norm, lr, tokens_per_second, gflops
	Validate = "validate" // nelbo, ppl, bits_per_byte, std_err
	Search   = "search"   // low, high, variance
)

// Record is what was measured at a step.
type Record struct {
	Step   int
	Kind   string
	Values map[string]float64
}

// MarshalJSON writes the values beside step and kind.
func (r Record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"step":%d,"kind":%q`, r.Step, r.Kind)
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		value, err := json.Marshal(r.Values[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(&b, `,%q:%s`, name, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Record) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	r.Values = map[string]float64{}
	for name, text := range raw {
		var into any
		switch name {
		case "step":
			into = &r.Step
		case "kind":
			into = &r.Kind
		default:
			var v float64
			if err := json.Unmarshal(text, &v); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			r.Values[name] = v
			continue
		}
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Log appends records to a run's folder.
type Log struct {
	lines, events *os.File
}

// Open goes on with the log of the run in dir, which stands at the given step: records of later steps,
// which a run that was killed left behind, are dropped.
func Open(dir string, step int) (*Log, error) {
	path := filepath.Join(dir, File)
	if err := dropAfter(path, step); err != nil {
		return nil, err
	}
	lines, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	events, err := openEvents(dir, time.Now())
	if err != nil {
		return nil, errors.Join(err, lines.Close())
	}
	return &Log{lines, events}, nil
}

// Write appends a record.
func (l *Log) Write(r Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := l.lines.Write(append(line, '\n')); err != nil {
		return err
	}
	return writeEvent(l.events, r, time.Now())
}

// Close closes the files.
func (l *Log) Close() error { return errors.Join(l.lines.Close(), l.events.Close()) }

// Read returns the records of the run in dir.
func Read(dir string) ([]Record, error) {
	path := filepath.Join(dir, File)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []Record
	scanner := bufio.NewScanner(f)
	for line := 1; scanner.Scan(); line++ {
		var r Record
		if err := json.Unmarshal(scanner.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, line, err)
		}
		out = append(out, r)
	}
	return out, scanner.Err()
}

// dropAfter rewrites the file without records of later steps and without a last line that was cut.
func dropAfter(path string, step int) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var kept []byte
	for line := range bytes.Lines(data) {
		var r Record
		if json.Unmarshal(line, &r) == nil && r.Step <= step {
			kept = append(kept, line...)
		}
	}
	if len(kept) == len(data) {
		return nil
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, kept, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
