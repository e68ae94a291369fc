package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Decode decodes the JSON object in an answer into v. The error says what is
// wrong without quoting the body, which may contain anything.
func Decode(body []byte, v any) error {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return session.Invalid("answer is empty")
	case trimmed[0] != '{':
		return session.Invalid("answer is not a JSON object")
	}
	err := json.Unmarshal(body, v)
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		kind, _, _ := strings.Cut(te.Value, " ") // "number 1e999"
		return session.Invalid("answer's %s is a %s", te.Field, kind)
	}
	if err != nil {
		return session.Invalid("answer is not valid JSON")
	}
	return nil
}
