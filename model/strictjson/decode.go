package strictjson

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

var (
	rawType    = reflect.TypeFor[Raw]()
	numberType = reflect.TypeFor[Number]()
)

// decode reads the next value into v. Null leaves v as it is, or nil where it can be.
func (p *parser) decode(v reflect.Value) error {
	if v.Type() == rawType {
		start := p.at
		if err := p.skip(); err != nil {
			return err
		}
		v.SetBytes(p.data[start:p.at:p.at])
		return nil
	}
	if p.peek() == 'n' && p.word("null") {
		switch v.Kind() {
		case reflect.Pointer, reflect.Map, reflect.Slice:
			v.SetZero()
		}
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return p.decode(v.Elem())
	case reflect.Struct:
		return p.decodeStruct(v)
	case reflect.Map:
		return p.decodeMap(v)
	case reflect.Slice, reflect.Array:
		return p.decodeList(v)
	case reflect.Bool:
		if p.word("true") {
			v.SetBool(true)
			return nil
		}
		if p.word("false") {
			v.SetBool(false)
			return nil
		}
		return p.unexpected("true or false")
	case reflect.String:
		if v.Type() != numberType {
			text, err := p.text()
			v.SetString(text)
			return err
		}
	}
	return p.decodeNumber(v)
}

func (p *parser) decodeNumber(v reflect.Value) error {
	if c := p.peek(); c != '-' && (c < '0' || c > '9') {
		return p.unexpected("a number")
	}
	text, err := p.number()
	if err != nil {
		return err
	}
	bits := 64
	if v.CanInt() || v.CanUint() || v.CanFloat() {
		bits = v.Type().Bits()
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.CanInt():
		var n int64
		n, err = strconv.ParseInt(text, 10, bits)
		v.SetInt(n)
	case v.CanUint():
		var n uint64
		n, err = strconv.ParseUint(text, 10, bits)
		v.SetUint(n)
	case v.CanFloat():
		var n float64
		n, err = strconv.ParseFloat(text, bits)
		v.SetFloat(n)
	default:
		return fmt.Errorf("strictjson does not decode %s", v.Type())
	}
	if err != nil {
		return fmt.Errorf("%s is no %s", text, v.Type())
	}
	return nil
}

func (p *parser) decodeStruct(v reflect.Value) error {
	return p.object(func(key string) error {
		if f := find(v, key); f.IsValid() {
			if err := p.decode(f); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			return nil
		}
		if !p.skipUnknown {
			return fmt.Errorf("unknown field %q", key)
		}
		return p.skip()
	})
}

func (p *parser) decodeMap(v reflect.Value) error {
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("strictjson does not decode %s", v.Type())
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	element := reflect.New(v.Type().Elem()).Elem()
	return p.object(func(key string) error {
		element.SetZero()
		if err := p.decode(element); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), element)
		return nil
	})
}

func (p *parser) decodeList(v reflect.Value) error {
	n := 0
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
	err := p.array(func() error {
		if n == v.Len() {
			if v.Kind() == reflect.Array {
				return fmt.Errorf("more than %d elements", n)
			}
			v.Grow(1)
			v.SetLen(n + 1)
			v.Index(n).SetZero()
		}
		n++
		return p.decode(v.Index(n - 1))
	})
	if err == nil && n < v.Len() {
		err = fmt.Errorf("%d elements, expected %d", n, v.Len())
	}
	return err
}

// find returns the field of a struct, or of those embedded in it, by its name in JSON; the zero Value
// where there is none.
func find(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		if embedded(v.Type(), i) {
			if f := find(v.Field(i), key); f.IsValid() {
				return f
			}
		} else if name, _ := field(v.Type(), i); name == key {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// embedded tells whether the fields of a struct's field stand beside its own.
func embedded(t reflect.Type, i int) bool {
	f := t.Field(i)
	return f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("json") == ""
}

// field is the name of a struct's field in JSON, empty where it has none.
func field(t reflect.Type, i int) (name string, omitEmpty bool) {
	f := t.Field(i)
	if !f.IsExported() {
		return "", false
	}
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		name = f.Name
	}
	if name == "-" {
		name = ""
	}
	return name, options == "omitempty"
}
