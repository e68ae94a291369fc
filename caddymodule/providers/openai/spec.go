package openai

import (
	"encoding/json"
	"fmt"
)

// ModelOf returns the model whose workflow a request in the API's own shape names,
// "" where there is none.
func (o *OpenAI) ModelOf(spec json.RawMessage) string {
	var said struct {
		Workflow struct {
			ID string `json:"id"`
		} `json:"workflow"`
	}
	if json.Unmarshal(spec, &said) != nil || said.Workflow.ID == "" {
		return ""
	}
	for _, model := range o.ModelNames() {
		if o.workflows[model] == said.Workflow.ID {
			return model
		}
	}
	return ""
}

// with is the body of a request: spec, where there is one, completed by b.
func (b *body) with(spec json.RawMessage) ([]byte, error) {
	own, err := json.Marshal(b)
	if err != nil || spec == nil {
		return own, err
	}
	fields := make(map[string]json.RawMessage)
	for _, part := range [][]byte{own, spec} {
		if err := json.Unmarshal(part, &fields); err != nil {
			return nil, fmt.Errorf("merging request: %w", err)
		}
	}
	return json.Marshal(fields)
}
