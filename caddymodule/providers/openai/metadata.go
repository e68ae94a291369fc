package openai

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// maxVariables is the maximum number of state variables, from the API reference.
const maxVariables = 64

// maxVariableName is the maximum length of a state variable's name, in characters.
const maxVariableName = 64

// ModelNames returns the models that have their own workflow, sorted.
func (o *OpenAI) ModelNames() []string { return slices.Sorted(maps.Keys(o.workflows)) }

// CheckMetadata returns an error if metadata cannot be used as state variables:
// strings, numbers and booleans, at most 64 of them. The error is written for the
// author of the front end.
func (o *OpenAI) CheckMetadata(metadata json.RawMessage) error {
	if o.StateVariables == "" || len(metadata) == 0 {
		return nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(metadata, &values); err != nil {
		return fmt.Errorf("metadata is not an object")
	}
	if len(values) > maxVariables {
		return fmt.Errorf("metadata has %d entries, more than %d", len(values), maxVariables)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if utf8.RuneCountInString(name) > maxVariableName {
			return fmt.Errorf("metadata %.64q has a name longer than %d characters", name, maxVariableName)
		}
		if !scalar(values[name]) {
			return fmt.Errorf("metadata %.64q is not a string, number or boolean", name)
		}
	}
	return nil
}

// scalar reports whether a JSON value is a string, a number or a boolean.
func scalar(value json.RawMessage) bool {
	return len(value) > 0 && value[0] != '{' && value[0] != '[' && value[0] != 'n'
}
