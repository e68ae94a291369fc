package openaiapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/internal/ijson"
)

// Spec is a request as it is read here.
type Spec struct {
	// User is who the session is for. Never blank.
	User string

	// Variables is the JSON object of the state variables, or nil.
	Variables json.RawMessage

	// JSON is the whole request, with User as it is read here. A provider that
	// speaks the API gets it.
	JSON json.RawMessage
}

// SpecError is the error of an invalid request. Param is the parameter at fault,
// "" for the body; Message says what is wrong, in words for its author.
type SpecError struct{ Param, Message string }

// Error implements error.
func (e *SpecError) Error() string { return e.Message }

// known are the names in the objects that are read, here or by a provider. The
// API's schema has them.
var known = map[string][]string{
	"":              {"user", "workflow", "expires_after", "rate_limits", "chatkit_configuration"},
	"workflow":      {"id", "version", "state_variables", "tracing"},
	"expires_after": {"anchor", "seconds"},
	"rate_limits":   {"max_requests_per_1_minute"},
}

// ParseSpec reads a request. Its error is a [*SpecError].
func ParseSpec(body []byte) (s Spec, err error) {
	if err := ijson.Check(body); err != nil {
		return s, &SpecError{Message: "The body " + err.Error()}
	}
	fields, err := object("", body)
	if err != nil {
		return s, err
	}
	if s.User, err = user(fields["user"]); err != nil {
		return s, err
	}
	if s.Variables, err = variables(fields["workflow"]); err != nil {
		return s, err
	}
	for param, number := range map[string]string{"expires_after": "seconds", "rate_limits": "max_requests_per_1_minute"} {
		if err := checkNumber(param, number, fields[param]); err != nil {
			return s, err
		}
	}
	if fields["user"], err = encode(s.User); err != nil {
		return s, &SpecError{"user", err.Error()}
	}
	if s.JSON, err = encode(fields); err != nil {
		return s, &SpecError{Message: err.Error()}
	}
	return s, nil
}

// object reads an object. Another parser may take a name that differs from a known
// one in case only for that one, so those are refused.
func object(param string, raw json.RawMessage) (fields map[string]json.RawMessage, err error) {
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		return nil, invalidType(param, "an object")
	}
	for name := range fields {
		want := slices.IndexFunc(known[param], func(k string) bool { return strings.EqualFold(k, name) })
		if want >= 0 && known[param][want] != name {
			return nil, &SpecError{join(param, name), fmt.Sprintf("Unknown parameter: '%s' (want '%s')", join(param, name), known[param][want])}
		}
	}
	return fields, nil
}

func user(raw json.RawMessage) (user string, err error) {
	if len(raw) > 0 {
		err = json.Unmarshal(raw, &user)
	}
	if user = strings.TrimSpace(user); err != nil || user == "" {
		return "", &SpecError{"user", "Missing required parameter: 'user', a string that is not blank"}
	}
	return user, nil
}

// variables checks a workflow and returns its state variables.
func variables(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	fields, err := object("workflow", raw)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"id", "version"} {
		var text string
		if v := fields[name]; len(v) > 0 && json.Unmarshal(v, &text) != nil {
			return nil, invalidType("workflow."+name, "a string")
		}
	}
	if v := fields["state_variables"]; len(v) > 0 && v[0] == '{' {
		return v, nil
	}
	return nil, nil
}

// checkNumber checks an object with a whole number, which a provider may have to
// compare.
func checkNumber(param, name string, raw json.RawMessage) error {
	if len(raw) == 0 {
		return nil
	}
	fields, err := object(param, raw)
	if err != nil {
		return err
	}
	var n *float64
	if v := fields[name]; len(v) > 0 && (json.Unmarshal(v, &n) != nil || n == nil || *n != math.Trunc(*n)) {
		return invalidType(join(param, name), "a whole number")
	}
	return nil
}

func invalidType(param, want string) *SpecError {
	if param == "" {
		return &SpecError{Message: "The body is not a JSON object"}
	}
	return &SpecError{param, fmt.Sprintf("Invalid type for '%s' (want %s)", param, want)}
}

func join(param, name string) string { return strings.TrimPrefix(param+"."+name, ".") }

// encode is json.Marshal that leaves the characters of HTML as they are.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}
