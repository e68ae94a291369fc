package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Decode reads the JSON object of an answer into v. The error says what is
// wrong without a word of the body, which may be anything.
func Decode(body []byte, v any) error {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return session.Invalid("answer is empty")
	case trimmed[0] != '{':
		return session.Invalid("answer is no JSON object")
	}
	err := json.Unmarshal(body, v)
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		kind, _, _ := strings.Cut(te.Value, " ") // "number 1e999"
		return session.Invalid("answer's %s is a %s", te.Field, kind)
	}
	if err != nil {
		return session.Invalid("answer is no valid JSON")
	}
	return nil
}
