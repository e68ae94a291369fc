// Package ijson checks that a text is I-JSON (RFC 7493): JSON that every parser
// reads alike, and that none fails on.
//
// It does not depend on Caddy.
package ijson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep objects and lists may be nested.
const MaxDepth = 32

// What is wrong with a text, in words for its author.
var (
	ErrSyntax    = errors.New("is not valid JSON")
	ErrDepth     = fmt.Errorf("is nested deeper than %d levels", MaxDepth)
	ErrTwice     = errors.New("has an object with the same name twice")
	ErrNumber    = errors.New("has a number that is too large")
	ErrSurrogate = errors.New("has a lone surrogate")
	ErrNUL       = errors.New("has a NUL character")
)

// Check returns nil for I-JSON, else one of the errors above. A backend may fail
// on what the errors are about, although it is JSON. Noncharacters, which RFC 7493
// does not allow either, do no such harm and pass.
func Check(text []byte) error {
	if !utf8.Valid(text) || !json.Valid(text) {
		return ErrSyntax
	}
	c := checker{rest: text}
	for len(c.rest) > 0 {
		if err := c.step(); err != nil {
			return err
		}
	}
	return nil
}

// checker walks over valid JSON.
type checker struct {
	rest  []byte
	depth int
	open  [MaxDepth]object
	names [2 * few][]byte // of the open objects that have no index
	used  int             // of names
}

// object is an open object or list.
type object struct {
	from  int // where its names begin
	index map[string]struct{}
}

// few is how many names of an object are searched one by one.
const few = 8

// step checks what comes next, and skips it.
func (c *checker) step() error {
	switch b := c.rest[0]; {
	case b == '{' || b == '[':
		if c.depth == MaxDepth {
			return ErrDepth
		}
		c.open[c.depth] = object{from: c.used}
		c.depth++
	case b == '}' || b == ']':
		c.depth--
		c.used = c.open[c.depth].from
	case b == '"':
		return c.text(c.take(stringLen(c.rest)))
	case b == '-' || b >= '0' && b <= '9':
		if _, err := strconv.ParseFloat(string(c.take(numberLen(c.rest))), 64); err != nil {
			return ErrNumber
		}
		return nil
	}
	c.take(1)
	return nil
}

// take skips n bytes and returns them.
func (c *checker) take(n int) []byte {
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

// stringLen returns the length of the string that begins text.
func stringLen(text []byte) int {
	i := 1
	for ; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// numberLen returns the length of the number that begins text.
func numberLen(text []byte) int {
	n := bytes.IndexFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && r != '-' && r != '+' && r != '.' && r != 'e' && r != 'E'
	})
	if n < 0 {
		return len(text)
	}
	return n
}

// text checks a string. If it is a name, it must be the first of its object.
func (c *checker) text(quoted []byte) error {
	if err := checkEscapes(quoted); err != nil {
		return err
	}
	if next := bytes.TrimLeft(c.rest, " \t\r\n"); len(next) == 0 || next[0] != ':' {
		return nil
	}
	name, ok := unquote(quoted)
	switch {
	case !ok:
		return ErrSyntax
	case c.seen(name):
		return ErrTwice
	}
	return nil
}

// seen notes a name, and reports whether its object has it already.
func (c *checker) seen(name []byte) bool {
	o := &c.open[c.depth-1]
	if o.index != nil {
		_, twice := o.index[string(name)]
		o.index[string(name)] = struct{}{}
		return twice
	}
	names := c.names[o.from:c.used]
	if slices.ContainsFunc(names, func(n []byte) bool { return bytes.Equal(n, name) }) {
		return true
	}
	if len(names) < few && c.used < len(c.names) {
		c.names[c.used] = name
		c.used++
		return false
	}
	// A search through all of them would take too long soon.
	o.index = map[string]struct{}{string(name): {}}
	for _, n := range names {
		o.index[string(n)] = struct{}{}
	}
	return false
}

// checkEscapes checks the escapes of characters in a string.
func checkEscapes(s []byte) error {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return nil
		}
		r, ok := escaped(s[i:])
		switch {
		case !ok:
			s = s[i+2:]
			continue
		case r == 0:
			return ErrNUL
		case utf16.IsSurrogate(r):
			low, _ := escaped(s[i+escapeLen:])
			if utf16.DecodeRune(r, low) == utf8.RuneError {
				return ErrSurrogate
			}
			i += escapeLen
		}
		s = s[i+escapeLen:]
	}
}

// escapeLen is the length of \uXXXX.
const escapeLen = 6

// escaped returns the UTF-16 unit of the \uXXXX that begins s. ok is false if
// something else does.
func escaped(s []byte) (r rune, ok bool) {
	if len(s) < escapeLen || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s[2:escapeLen]), 16, 16)
	return rune(n), err == nil
}
