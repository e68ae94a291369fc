package provider

import "github.com/caddy-chatkit/caddy-chatkit/internal/session"

// Text is a JSON value of which only a string is of use. Unlike a plain string
// it lets the rest of an answer be read where it is something else.
type Text struct {
	// Value is the string, "" where there is none.
	Value string

	// Other tells that the value is there, and neither a string nor null.
	Other bool
}

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (t *Text) UnmarshalJSON(raw []byte) error {
	*t = Text{}
	if raw[0] != '"' {
		t.Other = string(raw) != "null"
		return nil
	}
	t.Value, t.Other = unquoted(session.Unquote(raw))
	return nil
}

func unquoted(s string, ok bool) (string, bool) { return s, !ok }
