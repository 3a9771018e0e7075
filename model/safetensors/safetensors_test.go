package safetensors

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/unmask-lm/unmask/model/tensor"
)

// file frames a header and n bytes of data.
func file(header string, n int) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), make([]byte, n)...)
}

func TestSplitAccepts(t *testing.T) {
	header, data, err := Split(file(`{"b":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}  `, 12))
	require.NoError(t, err)
	require.Len(t, data, 12)
	require.Equal(t, map[string]string{"k": "v"}, header.Metadata)
	require.Equal(t, []Entry{
		{Name: "a", DType: tensor.F32, Shape: []int{1, 2}, Begin: 0, End: 8},
		{Name: "b", DType: tensor.F16, Shape: []int{2}, Begin: 8, End: 12},
	}, header.Entries)
}

func TestSplitRefuses(t *testing.T) {
	one := func(fields string) string { return `{"x":{` + fields + `}}` }
	for name, c := range map[string]struct {
		header string
		data   int
		want   string
	}{
		"no brace":            {` {}`, 0, "does not start with '{'"},
		"empty":               {``, 0, "does not start with '{'"},
		"no JSON":             {`{nonsense`, 0, "header"},
		"duplicate tensor":    {`{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, "duplicate key"},
		"duplicate field":     {one(`"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]`), 1, "duplicate key"},
		"unknown dtype":       {one(`"dtype":"F31","shape":[1],"data_offsets":[0,4]`), 4, "F31"},
		"unknown field":       {one(`"dtype":"U8","shape":[1],"data_offsets":[0,1],"extra":0`), 1, "extra"},
		"hole":                {one(`"dtype":"U8","shape":[1],"data_offsets":[1,2]`), 2, "without holes"},
		"overlap":             {`{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"y":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3, "without holes"},
		"beyond the file":     {one(`"dtype":"U8","shape":[9],"data_offsets":[0,9]`), 2, "only 2"},
		"data left over":      {one(`"dtype":"U8","shape":[1],"data_offsets":[0,1]`), 2, "tensors cover 1"},
		"shape and offsets":   {one(`"dtype":"F32","shape":[2],"data_offsets":[0,4]`), 4, "needs 8"},
		"negative":            {one(`"dtype":"U8","shape":[-1],"data_offsets":[0,1]`), 1, "no size"},
		"fraction":            {one(`"dtype":"U8","shape":[1.0],"data_offsets":[0,1]`), 1, "no size"},
		"exponent":            {one(`"dtype":"U8","shape":[1e0],"data_offsets":[0,1]`), 1, "no size"},
		"overflowing product": {one(`"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]`), 0, "overflows"},
		"overflowing number":  {one(`"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,1]`), 1, "no size"},
		"reversed offsets":    {one(`"dtype":"U8","shape":[1],"data_offsets":[1,0]`), 1, "span"},
		"three offsets":       {one(`"dtype":"U8","shape":[1],"data_offsets":[0,1,2]`), 1, "expected 2"},
		"many dimensions":     {one(`"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]`), 1, "dimensions"},
		"after the header":    {`{} x`, 0, "after the JSON"},
	} {
		_, _, err := Split(file(c.header, c.data))
		require.ErrorContains(t, err, c.want, name)
	}
	for name, data := range map[string][]byte{
		"nothing":        nil,
		"short":          {1, 2, 3},
		"header too big": binary.LittleEndian.AppendUint64(nil, 1<<40),
		"header missing": binary.LittleEndian.AppendUint64(nil, 100),
	} {
		_, _, err := Split(data)
		require.Error(t, err, name)
		path := filepath.Join(t.TempDir(), "x.safetensors")
		require.NoError(t, os.WriteFile(path, data, 0o644))
		_, err = Open(path)
		require.ErrorContains(t, err, path, name)
	}
}

// What is written is read back, in order, aligned and whole.
func TestWriteRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := map[string][]float32{}
		var tensors []Tensor
		for _, name := range rapid.SliceOfDistinct(rapid.StringN(1, 20, 60), rapid.ID[string]).Draw(t, "names") {
			if name == "__metadata__" {
				continue
			}
			v := rapid.SliceOfN(rapid.Float32(), 0, 20).Draw(t, "values")
			values[name] = v
			tensors = append(tensors, Tensor{name, tensor.F32, []int{len(v)}, func() ([]byte, error) { return tensor.Encode(tensor.F32, nil, v), nil }})
		}
		var b bytes.Buffer
		if err := Write(&b, tensors, map[string]string{"made by": "a test"}); err != nil {
			t.Fatal(err)
		}
		header, data, err := Split(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if (b.Len()-len(data))%8 != 0 || len(header.Entries) != len(tensors) {
			t.Fatalf("%d entries, data at %d", len(header.Entries), b.Len()-len(data))
		}
		for _, e := range header.Entries {
			got, err := tensor.Float32s(e.DType, data[e.Begin:e.End])
			if err != nil || len(got) != len(values[e.Name]) {
				t.Fatalf("%q: %v, %v", e.Name, got, err)
			}
		}
	})
}

func TestOpenReadsTensors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, Write(f, []Tensor{{"x", tensor.F32, []int{2}, func() ([]byte, error) { return tensor.Encode(tensor.F32, nil, []float32{1, 2}), nil }}}, nil))
	require.NoError(t, f.Close())
	opened, err := Open(path)
	require.NoError(t, err)
	defer opened.Close()
	got, err := opened.Float32s("x")
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2}, got)
	_, err = opened.Float32s("y")
	require.ErrorContains(t, err, `"y"`)
}

func TestWriteRefuses(t *testing.T) {
	data := func(n int) func() ([]byte, error) { return func() ([]byte, error) { return make([]byte, n), nil } }
	require.ErrorContains(t, Write(&bytes.Buffer{}, []Tensor{{"x", tensor.F32, []int{2}, data(7)}}, nil), "7 bytes")
	require.ErrorContains(t, Write(&bytes.Buffer{}, []Tensor{{"x", tensor.F32, []int{1}, data(4)}, {"x", tensor.F32, []int{1}, data(4)}}, nil), "twice")
}

// A header is refused, or describes tensors that cover the data exactly.
func FuzzParseHeader(f *testing.F) {
	f.Add([]byte(`{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}`), int64(8))
	f.Add([]byte(`{"__metadata__":{"a":"b"}}`), int64(0))
	f.Fuzz(func(t *testing.T, text []byte, size int64) {
		h, err := ParseHeader(text, size)
		if err != nil {
			return
		}
		var at int64
		for _, e := range h.Entries {
			require.Equal(t, at, e.Begin)
			at = e.End
			product := dtypeBytes[string(e.DType)]
			for _, d := range e.Shape {
				product *= int64(d)
			}
			require.Equal(t, e.End-e.Begin, product)
		}
		require.Equal(t, size, at)
		require.True(t, strings.HasPrefix(string(text), "{"))
	})
}
