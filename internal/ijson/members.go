package ijson

import (
	"bytes"
	"encoding/json"
	"iter"
)

const space = " \t\r\n"

// Members returns the members of an object that [Check] has passed: the names and the
// texts of the values, which are parts of it.
func Members(text []byte) iter.Seq2[Name, []byte] {
	return func(yield func(Name, []byte) bool) {
		rest := text[bytes.IndexByte(text, '{')+1:]
		for {
			rest = bytes.TrimLeft(rest, space+",")
			if rest[0] == '}' {
				return
			}
			n := stringLen(rest)
			name, _ := unquote(rest[:n])
			rest = bytes.TrimLeft(rest[n:], space+":")
			n = valueLen(rest)
			if !yield(name, rest[:n:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

// Name is the name of a member.
type Name []byte

// Is reports whether the name is the given one. As for [json.Unmarshal], case does not
// matter.
func (n Name) Is(name string) bool { return bytes.EqualFold(n, []byte(name)) }

// String returns the string that a value is. ok is false if it is none.
func String(value []byte) (s string, ok bool) {
	if value[0] != '"' {
		return "", false
	}
	text, ok := unquote(value)
	return string(text), ok
}

// unquote returns what a string says. Most have no escape in them and are a part of
// the text.
func unquote(quoted []byte) (text []byte, ok bool) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1], true
	}
	return unescape(quoted)
}

// unescape is a function of its own because the decoder has its result escape.
func unescape(quoted []byte) (text []byte, ok bool) {
	var s string
	err := json.Unmarshal(quoted, &s)
	return []byte(s), err == nil
}

// valueLen returns the length of the value that begins text.
func valueLen(text []byte) int {
	depth := 0
	for i := 0; ; {
		switch text[i] {
		case '"':
			i += stringLen(text[i:])
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
		i++
	}
}
