package chatkit

import (
	"encoding/json"
	"slices"
)

const (
	// maxKey is enough for the longest name that is looked for, were each of its
	// letters escaped.
	maxKey = 6 * 16

	// maxValue is the length of the longest string that is kept. Ids are free-form
	// in the protocol, but nobody's are as long as that.
	maxValue = 1 << 10
)

// path is where a string stands: a member of the JSON object, or of an object that
// is a member of it.
type path struct{ section, name string }

// picker finds strings in a JSON object as its bytes pass, however long it is, and
// keeps nothing else. It does not validate. It takes the last of members that have
// the same name, as Python and JavaScript do, and matches names exactly, as they
// do and encoding/json does not.
type picker struct {
	want []path
	got  []string

	unclear bool // a name was there twice, or a value was too long to keep

	depth   int
	object  [3]bool // what is open at depth 1 and 2 is an object
	section string  // what is open at depth 2, if something in it is looked for
	seen    []path  // the names so far that are looked for
	target  int     // index in want of the value that comes, -1 for none

	key     bool // the next string is a name
	quoted  bool // inside a string
	escaped bool // after a backslash
	collect bool // the string is kept
	escapes bool // it has a backslash
	long    bool // it was too long
	buf     []byte
}

// reset prepares the picker for another object.
func (p *picker) reset(want []path) {
	if len(p.got) != len(want) {
		p.got = make([]string, len(want))
	}
	clear(p.got)
	*p = picker{want: want, got: p.got, seen: p.seen[:0], buf: p.buf[:0], target: -1}
}

// write reads more of the object.
func (p *picker) write(b []byte) {
	for i := 0; i < len(b); i++ {
		if p.quoted && !p.collect && !p.escaped {
			for i < len(b) && b[i] != '"' && b[i] != '\\' {
				i++
			}
			if i == len(b) {
				return
			}
		}
		c := b[i]
		if p.quoted {
			p.inString(c)
			continue
		}
		switch c {
		case '"':
			p.quoted, p.buf = true, p.buf[:0]
			p.escapes, p.long = false, false
			p.collect = p.named() && (p.key || p.target >= 0)
		case '{', '[':
			p.open(c == '{')
		case '}', ']':
			p.depth--
			p.target = -1
			p.key = false
		case ',':
			p.target = -1
			p.key = p.named()
		case ':':
			p.key = false
		}
	}
}

// named reports whether what is open here is an object whose names are of
// interest.
func (p *picker) named() bool {
	return p.depth == 1 && p.object[1] || p.depth == 2 && p.object[2] && p.section != ""
}

// open begins an object or array.
func (p *picker) open(object bool) {
	p.depth++
	if p.depth < 0 {
		p.depth = 1 // garbage before it
	}
	if p.depth > 0 && p.depth < len(p.object) {
		p.object[p.depth] = object
	}
	p.key = object && p.named()
	p.target = -1
}

// inString reads a byte of a string.
func (p *picker) inString(c byte) {
	switch {
	case p.escaped:
		p.escaped = false
	case c == '\\':
		p.escaped, p.escapes = true, true
	case c == '"':
		p.quoted = false
		p.endString()
		return
	}
	switch {
	case !p.collect:
	case p.key && len(p.buf) >= maxKey, len(p.buf) >= maxValue:
		p.collect, p.long = false, true
	default:
		p.buf = append(p.buf, c)
	}
}

// endString takes a string that is complete.
func (p *picker) endString() {
	switch {
	case p.key:
		p.key = false
		p.target = -1
		if p.depth == 1 {
			p.section = ""
		}
		if p.collect {
			p.name(p.text())
		}
	case p.target >= 0 && p.long:
		p.unclear = true
	case p.target >= 0 && p.collect:
		p.got[p.target] = string(p.text())
	}
	p.collect = false
}

// text returns the string that was kept, without its escapes.
func (p *picker) text() []byte {
	if !p.escapes {
		return p.buf
	}
	var s string
	if json.Unmarshal(slices.Concat([]byte{'"'}, p.buf, []byte{'"'}), &s) != nil {
		return nil
	}
	return []byte(s)
}

// name takes the name of a member.
func (p *picker) name(name []byte) {
	section := ""
	if p.depth == 2 {
		section = p.section
	}
	for i, w := range p.want {
		switch {
		case w.section == section && w.name == string(name):
			p.target, p.got[i] = i, ""
			p.note(w)
		case p.depth == 1 && w.section != "" && w.section == string(name):
			p.got[i] = ""
			if p.section == "" {
				p.section = w.section
				p.note(path{name: w.section})
			}
		}
	}
}

// note marks a name as seen. That it was seen before is of interest: parsers
// differ in which of the two they take.
func (p *picker) note(w path) {
	if slices.Contains(p.seen, w) {
		p.unclear = true
		return
	}
	p.seen = append(p.seen, w)
}
