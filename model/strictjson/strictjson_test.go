package strictjson

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCheck(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"b":[{"a":2}]}`:    "",
		`"text"`:                   "",
		` [1, 2 ] `:                "",
		`"\ud83d\ude00\/"`:         "",
		`{"a":1,"a":2}`:            `duplicate key "a"`,
		`{"a":{"b":1,"b":1}}`:      `duplicate key "b"`,
		`{"a":1,"\u0061":2}`:       `duplicate key "a"`,
		`{"a":1} {}`:               "after the JSON value",
		`{"a":1`:                   "unexpected EOF",
		``:                         "EOF",
		"\"\xff\"":                 "UTF-8",
		"\"a\nb\"":                 "control character",
		`{"a":01}`:                 "invalid '1'",
		`[1,]`:                     "expected a value",
		`{a:1}`:                    "expected a key",
		`"\ud83d"`:                 "surrogate",
		`"\ud83d\u0061"`:           "surrogate",
		`"\x"`:                     "an escape",
		`"\u00g0"`:                 "invalid escape",
		`1.e3`:                     "expected a digit",
		`nul`:                      "expected a value",
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

func TestUnmarshalRefuses(t *testing.T) {
	type inner struct {
		N int8 `json:"n"`
	}
	var v struct {
		A    int
		In   inner     `json:"in"`
		Pair [2]uint32 `json:"pair"`
		Skip int       `json:"-"`
		B    bool
		C    chan int
	}
	for text, want := range map[string]string{
		`{"A":1,"D":2}`:    `unknown field "D"`,
		`{"a":1}`:          `unknown field "a"`,
		`{"Skip":1}`:       `unknown field "Skip"`,
		`{"A":1.0}`:        "1.0 is no int",
		`{"A":"1"}`:        "A: invalid '\"', expected a number",
		`{"in":{"n":200}}`: "in: n: 200 is no int8",
		`{"pair":[1]}`:     "1 elements, expected 2",
		`{"pair":[1,2,3]}`: "more than 2 elements",
		`{"pair":[1,-2]}`:  "-2 is no uint32",
		`{"B":1}`:          "true or false",
		`{"C":1}`:          "does not decode chan int",
	} {
		require.ErrorContains(t, Unmarshal([]byte(text), &v), want, text)
	}
	require.ErrorContains(t, Unmarshal([]byte(`1`), v), "expected a pointer")
	require.NoError(t, Unmarshal([]byte(`{"A":3,"pair":[1,2]}`), &v))
	require.Equal(t, 3, v.A)
	require.NoError(t, UnmarshalKnown([]byte(`{"A":4,"D":[{"A":5}]}`), &v))
	require.Equal(t, 4, v.A)
}

func TestMarshalRefuses(t *testing.T) {
	for _, v := range []any{math.NaN(), math.Inf(1), func() {}, map[int]int{1: 1}} {
		_, err := Marshal(v)
		require.Error(t, err)
	}
}

// Inner is embedded.
type Inner struct {
	X int    `json:"x"`
	Y string `json:"y,omitempty"`
}

// everything has a field of each kind that the package knows.
type everything struct {
	Inner
	I    int                `json:"i"`
	I8   int8               `json:"i8,omitempty"`
	U    uint64             `json:"u"`
	F    float64            `json:"f"`
	F32  float32            `json:"f32"`
	S    string             `json:"s"`
	B    bool               `json:"b,omitempty"`
	P    *float64           `json:"p,omitempty"`
	PS   *string            `json:"ps"`
	L    []int              `json:"l"`
	LL   [][]float32        `json:"ll,omitempty"`
	A    [2]string          `json:"a"`
	M    map[string]float64 `json:"m"`
	Self *everything        `json:"self,omitempty"`
}

func anything(t *rapid.T, depth int) everything {
	finite := rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) })
	text := rapid.String()
	v := everything{
		Inner: Inner{X: rapid.Int().Draw(t, "x"), Y: text.Draw(t, "y")},
		I:     rapid.Int().Draw(t, "i"), I8: rapid.Int8().Draw(t, "i8"), U: rapid.Uint64().Draw(t, "u"),
		F: finite.Draw(t, "f"), F32: float32(rapid.Float32Range(-1e30, 1e30).Draw(t, "f32")),
		S: text.Draw(t, "s"), B: rapid.Bool().Draw(t, "b"),
		L: rapid.SliceOf(rapid.Int()).Draw(t, "l"), LL: [][]float32{{1.5}, nil},
		A: [2]string{text.Draw(t, "a"), "\u2028<&>\t"},
		M: rapid.MapOf(text, finite).Draw(t, "m"),
	}
	if rapid.Bool().Draw(t, "pointers") {
		v.P, v.PS = &v.F, &v.S
	}
	if depth > 0 {
		self := anything(t, depth-1)
		v.Self = &self
	}
	return v
}

// What Marshal writes, encoding/json reads as it reads its own; and Unmarshal reads both.
func TestAgreesWithEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anything(t, 2)
		ours, err := Marshal(v)
		require.NoError(t, err)
		theirs, err := json.Marshal(v)
		require.NoError(t, err)
		require.JSONEq(t, string(theirs), string(ours))
		indented, err := MarshalIndent(v)
		require.NoError(t, err)
		var want bytes.Buffer
		require.NoError(t, json.Indent(&want, ours, "", "  "))
		require.Equal(t, want.String(), string(indented))
		var a, b, c everything
		require.NoError(t, json.Unmarshal(theirs, &a))
		require.NoError(t, Unmarshal(ours, &b))
		require.NoError(t, Unmarshal(theirs, &c))
		require.Equal(t, a, b)
		require.Equal(t, a, c)
	})
}

// Whatever passes is what encoding/json accepts too, and the other way round but for the ambiguities
// that are refused; both decode it alike.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"i":-1,"l":[1,2],"m":{"a":1e-7},"s":"\u00e9\n","ps":null,"a":["x","y"]}`))
	f.Add([]byte(`{"self":{"f":1e400,"u":18446744073709551615,"p":0.1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := Check(data); err == nil {
			require.True(t, json.Valid(data))
		} else if json.Valid(data) {
			require.Regexp(t, "duplicate key|UTF-8|surrogate|nested", err.Error())
		}
		var ours, theirs everything
		if Unmarshal(data, &ours) != nil {
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(&theirs))
		require.Equal(t, theirs, ours)
		require.True(t, utf8.Valid(data))
	})
}
