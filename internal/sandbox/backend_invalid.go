package sandbox

import (
	"encoding/json"
	"errors"
)

// invalid is one entry of FastAPI's 422 answer.
type invalid struct {
	Type  string            `json:"type"`
	Loc   []any             `json:"loc"`
	Msg   string            `json:"msg"`
	Input any               `json:"input"`
	Ctx   map[string]string `json:"ctx,omitempty"`
}

// missing says that a field is missing; input is the object that should have it.
func missing(input json.RawMessage, loc ...any) invalid {
	return invalid{Type: "missing", Loc: loc, Msg: "Field required", Input: input}
}

// wrongType says that a field has another type than want.
func wrongType(kind, want string, input json.RawMessage, loc ...any) invalid {
	return invalid{Type: kind, Loc: loc, Msg: "Input should be a valid " + want, Input: input}
}

// malformed distinguishes a body that is not JSON from one that is not an object.
func malformed(body []byte, err error) invalid {
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return invalid{
			Type: "json_invalid", Loc: []any{"body", syntax.Offset}, Msg: "JSON decode error",
			Input: map[string]any{}, Ctx: map[string]string{"error": syntax.Error()},
		}
	}
	return wrongType("model_attributes_type", "dictionary or object to extract fields from", body, "body")
}

// checkUser requires user_id to be a non-empty string.
func (o backendOrder) checkUser(body []byte) []invalid {
	var (
		user string
		raw  = o["user_id"]
	)
	switch err := json.Unmarshal(raw, &user); {
	case len(raw) == 0:
		return []invalid{missing(body, "body", "user_id")}
	case err != nil || string(raw) == "null":
		return []invalid{wrongType("string_type", "string", raw, "body", "user_id")}
	case user == "":
		return []invalid{{
			Type: "string_too_short", Loc: []any{"body", "user_id"},
			Msg: "String should have at least 1 character", Input: raw,
		}}
	}
	return nil
}

// checkRest requires model to be a string and metadata an object, unless they
// are absent or null.
func (o backendOrder) checkRest() (bad []invalid) {
	var (
		model    *string
		metadata map[string]json.RawMessage
	)
	if raw := o["model"]; len(raw) > 0 && json.Unmarshal(raw, &model) != nil {
		bad = append(bad, wrongType("string_type", "string", raw, "body", "model"))
	}
	if raw := o["metadata"]; len(raw) > 0 && json.Unmarshal(raw, &metadata) != nil {
		bad = append(bad, wrongType("dict_type", "dictionary", raw, "body", "metadata"))
	}
	return bad
}
