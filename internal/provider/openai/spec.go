package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Spec is a request for a session in the API's own format,
// CreateChatSessionBody, with the fields read here. The API gets the whole
// request unchanged.
type Spec struct {
	// User is who the session is for. Never empty.
	User string

	// Workflow is the ID of the workflow, or "".
	Workflow string

	// Variables is the JSON object of the workflow's state variables, or nil.
	Variables json.RawMessage
}

// SpecError is the error of an invalid request: the parameter that is wrong, or
// "" for the whole body, and a message for the author of the request.
type SpecError struct{ Param, Message string }

// Error implements error.
func (e *SpecError) Error() string { return e.Message }

// ParseSpec parses a request. Its error is a [*SpecError].
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
	s.Workflow = w.ID
	if len(w.Variables) > 0 && w.Variables[0] == '{' {
		s.Variables = w.Variables
	}
	return s, nil
}

// ModelOf returns the model that uses the workflow, or "" if there is none.
func (o *OpenAI) ModelOf(workflow string) string {
	for _, model := range o.ModelNames() {
		if o.models[model] == workflow {
			return model
		}
	}
	return ""
}

// with returns the body of a request: spec, if there is one, completed with the
// fields it leaves out.
func (b *body) with(spec json.RawMessage) ([]byte, error) {
	if spec == nil {
		return json.Marshal(b)
	}
	own, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	fields := make(map[string]json.RawMessage)
	for _, part := range [][]byte{own, spec} {
		if err := json.Unmarshal(part, &fields); err != nil {
			return nil, fmt.Errorf("merging request: %w", err)
		}
	}
	return json.Marshal(fields)
}
