package strictjson

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Marshal writes v, keys of maps in order. It refuses numbers that JSON cannot hold. Invalid UTF-8 in
// strings becomes U+FFFD.
func Marshal(v any) ([]byte, error) { return encode(nil, reflect.ValueOf(v)) }

func encode(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Invalid:
		return append(b, "null"...), nil
	case reflect.Pointer, reflect.Interface:
		return encode(b, v.Elem())
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.String:
		if v.Type() == numberType {
			return append(b, v.String()...), nil
		}
		return appendText(b, v.String()), nil
	case reflect.Struct:
		return encodeStruct(b, v)
	case reflect.Map:
		return encodeMap(b, v)
	case reflect.Slice:
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		if v.Type() == rawType {
			return append(b, v.Bytes()...), nil
		}
		return encodeList(b, v)
	case reflect.Array:
		return encodeList(b, v)
	}
	switch {
	case v.CanInt():
		return strconv.AppendInt(b, v.Int(), 10), nil
	case v.CanUint():
		return strconv.AppendUint(b, v.Uint(), 10), nil
	case v.CanFloat():
		return appendFloat(b, v.Float(), v.Type().Bits())
	}
	return b, fmt.Errorf("strictjson does not encode %s", v.Type())
}

func encodeStruct(b []byte, v reflect.Value) (_ []byte, err error) {
	b, err = encodeFields(append(b, '{'), v)
	return append(b, '}'), err
}

func encodeFields(b []byte, v reflect.Value) (_ []byte, err error) {
	for i := range v.NumField() {
		if embedded(v.Type(), i) {
			if b, err = encodeFields(b, v.Field(i)); err != nil {
				return b, err
			}
			continue
		}
		name, omitEmpty := field(v.Type(), i)
		if name == "" || omitEmpty && empty(v.Field(i)) {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ':')
		if b, err = encode(b, v.Field(i)); err != nil {
			return b, err
		}
	}
	return b, nil
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

func encodeMap(b []byte, v reflect.Value) (_ []byte, err error) {
	if v.Type().Key().Kind() != reflect.String {
		return b, fmt.Errorf("strictjson does not encode %s", v.Type())
	}
	if v.IsNil() {
		return append(b, "null"...), nil
	}
	keys := make([]string, 0, v.Len())
	for _, k := range v.MapKeys() {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, k), ':')
		if b, err = encode(b, v.MapIndex(reflect.ValueOf(k).Convert(v.Type().Key()))); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func encodeList(b []byte, v reflect.Value) (_ []byte, err error) {
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = encode(b, v.Index(i)); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

// appendFloat writes numbers as JavaScript does.
func appendFloat(b []byte, f float64, bits int) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return b, fmt.Errorf("%v is no number of JSON", f)
	}
	if a := math.Abs(f); a == 0 || a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, bits), nil
	}
	return strconv.AppendFloat(b, f, 'e', -1, bits), nil
}

func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, `\u00`...)
			b = append(b, "0123456789abcdef"[r>>4], "0123456789abcdef"[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
