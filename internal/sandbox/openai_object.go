package sandbox

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// object reads the parameters of one JSON object and keeps the first error. Its
// methods do not change their target if the parameter is absent, so the target's
// value is the default.
type object struct {
	path   string // "" at the top, else the object's path and a dot
	fields map[string]json.RawMessage
	bad    **openAIError // shared with the objects inside
}

// open starts reading raw as an object that may only have the known fields.
func (o object) open(name string, raw json.RawMessage, known ...string) object {
	in := object{path: o.path + name + ".", bad: o.bad}
	if err := json.Unmarshal(raw, &in.fields); err != nil || in.fields == nil {
		in.fail(invalidType(o.path+name, "an object"))
		return in
	}
	in.only(known...)
	return in
}

// only rejects unknown fields and names the first of them.
func (o object) only(known ...string) {
	var unknown []string
	for name := range o.fields {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		o.fail(unknownParam(o.path + slices.Min(unknown)))
	}
}

// inside reads an optional object. If it is absent, so are all its fields.
func (o object) inside(name string, known ...string) object {
	raw, ok := o.fields[name]
	if !ok {
		return object{path: o.path + name + ".", bad: o.bad}
	}
	return o.open(name, raw, known...)
}

// fail keeps e unless there was an error before.
func (o object) fail(e *openAIError) {
	if *o.bad == nil {
		*o.bad = e
	}
}

// has reports whether the field is present, whatever its value.
func (o object) has(name string) bool {
	_, ok := o.fields[name]
	return ok
}

// need rejects an object without the named fields.
func (o object) need(names ...string) {
	for _, name := range names {
		if !o.has(name) {
			o.fail(missingParam(o.path + name))
		}
	}
}

// text reads a string.
func (o object) text(name string, to *string) {
	if raw, ok := o.fields[name]; ok {
		o.read(name, raw, to, "a string")
	}
}

// enabled reads the flag "enabled", which every feature has.
func (o object) enabled(to *bool) {
	const name = "enabled"
	if raw, ok := o.fields[name]; ok {
		o.read(name, raw, to, "a boolean")
	}
}

// count reads an integer from 1 to high.
func (o object) count(name string, to *int64, high int64) {
	raw, ok := o.fields[name]
	if !ok {
		return
	}
	o.read(name, raw, to, "an integer")
	if *to < 1 || *to > high {
		want := "an integer of at least 1"
		if high != math.MaxInt64 {
			want = fmt.Sprintf("an integer from 1 to %d", high)
		}
		o.fail(invalidValue(o.path+name, want))
	}
}

// read decodes raw. null is not a valid value of any type.
func (o object) read(name string, raw json.RawMessage, to any, want string) {
	if err := json.Unmarshal(raw, to); err != nil || string(raw) == "null" {
		o.fail(invalidType(o.path+name, want))
	}
}
