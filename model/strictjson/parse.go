package strictjson

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// parser walks over data, which is valid UTF-8. Every method that reads a value starts at its first
// byte and ends behind its last.
type parser struct {
	data        []byte
	at, depth   int
	skipUnknown bool
}

func (p *parser) space() {
	for p.at < len(p.data) {
		switch p.data[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// peek is the next byte, or 0 at the end; JSON has no zero byte.
func (p *parser) peek() byte {
	if p.at < len(p.data) {
		return p.data[p.at]
	}
	return 0
}

func (p *parser) unexpected(want string) error {
	if p.at >= len(p.data) {
		return io.ErrUnexpectedEOF
	}
	r, _ := utf8.DecodeRune(p.data[p.at:])
	return fmt.Errorf("invalid %q, expected %s", r, want)
}

func (p *parser) expect(c byte) error {
	if p.peek() != c {
		return p.unexpected(strconv.QuoteRune(rune(c)))
	}
	p.at++
	return nil
}

// skip passes over one value of any kind.
func (p *parser) skip() error {
	switch c := p.peek(); {
	case c == '{':
		return p.object(func(string) error { return p.skip() })
	case c == '[':
		return p.array(p.skip)
	case c == '"':
		_, err := p.text()
		return err
	case c == '-' || c >= '0' && c <= '9':
		_, err := p.number()
		return err
	}
	for _, word := range []string{"true", "false", "null"} {
		if p.word(word) {
			return nil
		}
	}
	return p.unexpected("a value")
}

func (p *parser) word(word string) bool {
	if len(p.data)-p.at < len(word) || string(p.data[p.at:p.at+len(word)]) != word {
		return false
	}
	p.at += len(word)
	return true
}

// object calls field behind each key's colon.
func (p *parser) object(field func(key string) error) error {
	seen := map[string]bool{}
	return p.list('{', '}', func() error {
		if p.peek() != '"' {
			return p.unexpected("a key")
		}
		key, err := p.text()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("duplicate key %q", key)
		}
		seen[key] = true
		p.space()
		if err := p.expect(':'); err != nil {
			return err
		}
		p.space()
		return field(key)
	})
}

func (p *parser) array(element func() error) error { return p.list('[', ']', element) }

func (p *parser) list(first, last byte, element func() error) error {
	if err := p.expect(first); err != nil {
		return err
	}
	if p.depth++; p.depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	if p.space(); p.peek() == last {
		p.at++
		return nil
	}
	for {
		p.space()
		if err := element(); err != nil {
			return err
		}
		p.space()
		switch p.peek() {
		case ',':
			p.at++
		case last:
			p.at++
			return nil
		default:
			return p.unexpected("',' or " + strconv.QuoteRune(rune(last)))
		}
	}
}

func (p *parser) number() (string, error) {
	start := p.at
	if p.peek() == '-' {
		p.at++
	}
	if p.peek() == '0' {
		p.at++
	} else if err := p.digits(); err != nil {
		return "", err
	}
	if p.peek() == '.' {
		p.at++
		if err := p.digits(); err != nil {
			return "", err
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if err := p.digits(); err != nil {
			return "", err
		}
	}
	return string(p.data[start:p.at]), nil
}

func (p *parser) digits() error {
	start := p.at
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	if p.at == start {
		return p.unexpected("a digit")
	}
	return nil
}

// text reads a string.
func (p *parser) text() (string, error) {
	if err := p.expect('"'); err != nil {
		return "", err
	}
	start := p.at
	for p.at < len(p.data) && p.data[p.at] >= ' ' && p.data[p.at] != '"' && p.data[p.at] != '\\' {
		p.at++
	}
	if p.peek() == '"' {
		p.at++
		return string(p.data[start : p.at-1]), nil
	}
	out := append([]byte(nil), p.data[start:p.at]...)
	for p.at < len(p.data) {
		c := p.data[p.at]
		switch {
		case c == '"':
			p.at++
			return string(out), nil
		case c < ' ':
			return "", fmt.Errorf("invalid control character %q in a string", c)
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
			p.at++
		}
	}
	return "", io.ErrUnexpectedEOF
}

func (p *parser) escape() (rune, error) {
	p.at++
	c := p.peek()
	if c == 'u' {
		return p.codePoint()
	}
	for i := range len(escapes) {
		if c == escapes[i] {
			p.at++
			return rune(escaped[i]), nil
		}
	}
	return 0, p.unexpected("an escape")
}

// What may follow a backslash, and what it stands for.
const (
	escapes = `"\/bfnrt`
	escaped = "\"\\/\b\f\n\r\t"
)

// codePoint reads u and four hexadecimal digits, twice where they are halves of a surrogate pair.
func (p *parser) codePoint() (rune, error) {
	first, err := p.unit()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	if p.word(`\`) && p.peek() == 'u' {
		second, err := p.unit()
		if err != nil {
			return 0, err
		}
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return r, nil
		}
	}
	return 0, errors.New("invalid surrogate in a string")
}

func (p *parser) unit() (rune, error) {
	p.at++
	if len(p.data)-p.at < 4 {
		return 0, io.ErrUnexpectedEOF
	}
	v, err := strconv.ParseUint(string(p.data[p.at:p.at+4]), 16, 16)
	if err != nil {
		return 0, fmt.Errorf("invalid escape %q", p.data[p.at-2:p.at+4])
	}
	p.at += 4
	return rune(v), nil
}
