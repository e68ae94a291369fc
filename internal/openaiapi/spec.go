package openaiapi

import (
	"bytes"
	"encoding/json"
)

// Spec holds the fields of CreateChatSessionBody that are read here. A provider
// that speaks the API gets the whole of it.
type Spec struct {
	// User is who the session is for. Never empty.
	User string

	// Variables is the JSON object of the state variables, or nil.
	Variables json.RawMessage
}

// SpecError is the error of an invalid request. Param is the parameter at fault,
// "" for the body; Message says what is wrong, in words for its author.
type SpecError struct{ Param, Message string }

// Error implements error.
func (e *SpecError) Error() string { return e.Message }

// ParseSpec reads a request. Its error is a [*SpecError].
func ParseSpec(body []byte) (s Spec, err error) {
	var b struct {
		User     json.RawMessage `json:"user"`
		Workflow json.RawMessage `json:"workflow"`
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' || json.Unmarshal(body, &b) != nil {
		return s, &SpecError{Message: "The body is not a JSON object"}
	}
	if json.Unmarshal(b.User, &s.User) != nil || s.User == "" {
		return s, &SpecError{"user", "Missing required parameter: 'user', a string that is not empty"}
	}
	if len(b.Workflow) == 0 {
		return s, nil
	}
	var w struct {
		ID        string          `json:"id"`
		Variables json.RawMessage `json:"state_variables"`
	}
	if b.Workflow[0] != '{' || json.Unmarshal(b.Workflow, &w) != nil {
		return s, &SpecError{"workflow", "Invalid type for 'workflow': an object with an 'id' that is a string"}
	}
	if len(w.Variables) > 0 && w.Variables[0] == '{' {
		s.Variables = w.Variables
	}
	return s, nil
}
