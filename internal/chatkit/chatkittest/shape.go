// Package chatkittest checks that frames and answers of ours are what the official
// types of ChatKit's custom-server protocol take: the same fields, in the order in
// which OpenAI's own server writes them, and no others. Only tests import it.
package chatkittest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// shape is what a JSON value has to be.
type shape interface{ check(v json.RawMessage) error }

// field is a member of an object.
type field struct {
	name     string
	shape    shape
	optional bool
}

func must(name string, s shape) field { return field{name: name, shape: s} }
func may(name string, s shape) field  { return field{name: name, shape: s, optional: true} }

// object has these members, in this order.
type object []field

func (o object) check(v json.RawMessage) error {
	names, values, err := members(v)
	if err != nil {
		return err
	}
	for _, f := range o {
		if len(names) == 0 || names[0] != f.name {
			if f.optional {
				continue
			}
			return fmt.Errorf("%s is missing, or not in its place, before %q", f.name, names)
		}
		if err := f.shape.check(values[0]); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		names, values = names[1:], values[1:]
	}
	if len(names) > 0 {
		return fmt.Errorf("unknown or misplaced %q", names)
	}
	return nil
}

// members returns the members of an object, in order.
func members(v json.RawMessage) (names []string, values []json.RawMessage, err error) {
	d := json.NewDecoder(bytes.NewReader(v))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, fmt.Errorf("%s is no object", v)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, nil, err
		}
		names, values = append(names, fmt.Sprint(name)), append(values, value)
	}
	return names, values, nil
}

// list has elements of one shape.
type list struct{ of shape }

func (l list) check(v json.RawMessage) error {
	var all []json.RawMessage
	if err := json.Unmarshal(v, &all); err != nil || all == nil {
		return fmt.Errorf("%s is no list", v)
	}
	for i, one := range all {
		if err := l.of.check(one); err != nil {
			return fmt.Errorf("%d: %w", i, err)
		}
	}
	return nil
}

// text is a string, one of these if there are any.
type text []string

func (t text) check(v json.RawMessage) error {
	var s string
	if len(v) == 0 || v[0] != '"' || json.Unmarshal(v, &s) != nil {
		return fmt.Errorf("%s is no string", v)
	}
	if len(t) > 0 && !slices.Contains(t, s) {
		return fmt.Errorf("%q is none of %q", s, []string(t))
	}
	return nil
}

// of is a value that a Go type takes.
type of[T any] struct{}

func (of[T]) check(v json.RawMessage) error {
	var into T
	if string(v) == "null" {
		return errors.New("null, which is left out")
	}
	return json.Unmarshal(v, &into)
}

// byType is one of several objects, which their member type tells apart.
type byType map[string]shape

func (b byType) check(v json.RawMessage) error {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(v, &head); err != nil {
		return err
	}
	s, ok := b[head.Type]
	if !ok {
		return fmt.Errorf("unknown type %q", head.Type)
	}
	if err := s.check(v); err != nil {
		return fmt.Errorf("%s: %w", head.Type, err)
	}
	return nil
}
