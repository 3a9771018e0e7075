package main

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/runtime/protocol"
)

// The TypeScript types are those of runtime/protocol, field by field.
func TestProtocolTypes(t *testing.T) {
	text, err := os.ReadFile("web/package/src/protocol.ts")
	require.NoError(t, err)
	declared := map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)export interface (\w+) \{(.*?)\}`).FindAllStringSubmatch(string(text), -1) {
		declared[m[1]] = m[2]
	}
	field := regexp.MustCompile(`(\w+\??): ([^;]+)`)
	for _, v := range []any{
		protocol.Load{},
		protocol.Generate{},
		protocol.Alternatives{},
		protocol.Tokenize{},
		protocol.Alternative{},
		protocol.Logits{},
		protocol.Score{},
		protocol.Progress{},
		protocol.Ready{},
		protocol.Canvas{},
		protocol.Reveal{},
		protocol.Block{},
		protocol.Done{},
		protocol.ScoreResult{},
		protocol.LogitsResult{},
		protocol.Answer{},
		protocol.Recovered{},
		protocol.Error{},
	} {
		goType := reflect.TypeOf(v)
		var got []string
		for _, m := range field.FindAllStringSubmatch(declared[goType.Name()], -1) {
			got = append(got, m[1]+": "+strings.TrimSpace(m[2]))
		}
		require.Equal(t, fields(goType), got, goType.Name())
		delete(declared, goType.Name())
	}
	require.Equal(t, []string{"Stop"}, keys(declared), "an interface without its Go type")
}

// fields writes a Go struct as the TypeScript twin must be.
func fields(t reflect.Type) (out []string) {
	optionalInGo := map[string]bool{"Generate.policy": true}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "type" {
			out = append(out, `type: "`+strings.ToLower(t.Name())+`"`)
			continue
		}
		kind := f.Type
		if options == "omitempty" || optionalInGo[t.Name()+"."+name] {
			name += "?"
		}
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		out = append(out, name+": "+typeScript(kind))
	}
	return out
}

func typeScript(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Slice:
		return typeScript(t.Elem()) + "[]"
	case reflect.Struct:
		return t.Name()
	}
	return "number"
}

func keys(m map[string]string) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
