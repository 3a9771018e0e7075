package strictjson

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"b":[{"a":2}]}`:    "",
		`"text"`:                   "",
		` [1, 2 ] `:                "",
		`{"a":1,"a":2}`:            `duplicate key "a"`,
		`{"a":{"b":1,"b":1}}`:      `duplicate key "b"`,
		`{"a":1,"\u0061":2}`:       `duplicate key "a"`,
		`{"a":1} {}`:               "after the JSON value",
		`{"a":1`:                   "unexpected EOF",
		``:                         "EOF",
		"\"\xff\"":                 "UTF-8",
		`{"a":01}`:                 "invalid",
		strings.Repeat("[", 10000): "nested",
	} {
		err := Check([]byte(text))
		if want == "" {
			require.NoError(t, err, text)
			continue
		}
		require.ErrorContains(t, err, want, text)
	}
}

func TestUnmarshalRefusesUnknownFields(t *testing.T) {
	var v struct{ A int }
	require.ErrorContains(t, Unmarshal([]byte(`{"A":1,"B":2}`), &v), "B")
	require.NoError(t, Unmarshal([]byte(`{"A":3}`), &v))
	require.Equal(t, 3, v.A)
}

// Whatever passes is what encoding/json accepts too.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{"a":[1,2,{"b":null}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if Check(data) == nil {
			require.True(t, json.Valid(data))
		}
	})
}
