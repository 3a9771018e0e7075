package strictjson

import "bytes"

// MarshalIndent is Marshal with each element on a line of its own, two spaces deeper than what holds it.
func MarshalIndent(v any) ([]byte, error) {
	data, err := Marshal(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	line := func(depth int) {
		b.WriteByte('\n')
		b.Write(bytes.Repeat([]byte("  "), depth))
	}
	depth, inText := 0, false
	for i, c := range data {
		if inText {
			b.WriteByte(c)
			inText = c != '"' || escapedAt(data, i)
			continue
		}
		switch c {
		case '{', '[':
			b.WriteByte(c)
			if next := data[i+1]; next != '}' && next != ']' {
				depth++
				line(depth)
			}
		case '}', ']':
			if last := data[i-1]; last != '{' && last != '[' {
				depth--
				line(depth)
			}
			b.WriteByte(c)
		case ',':
			b.WriteByte(c)
			line(depth)
		case ':':
			b.WriteString(": ")
		default:
			b.WriteByte(c)
			inText = c == '"'
		}
	}
	return b.Bytes(), nil
}

// escapedAt tells whether an odd number of backslashes stands before data[i].
func escapedAt(data []byte, i int) bool {
	n := 0
	for i--; i >= 0 && data[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}
