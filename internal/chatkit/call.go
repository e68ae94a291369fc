package chatkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Call is a request as a server reads it: all of it that a stand-in may need.
type Call struct {
	Type Operation

	Thread string // thread_id
	Item   string // item_id: the user's message to answer again

	Input *Input // of a message of the user's, else nil

	Page  PageRequest
	Title string
}

// PageRequest says which part of a list is wanted.
type PageRequest struct {
	Limit int    // 0: as many as a page has
	Asc   bool   // oldest first
	After string // the id of the last row that was seen
}

// Input is what a user writes.
type Input struct {
	Content     []InputPart      `json:"content"`
	Attachments []string         `json:"attachments"`
	QuotedText  *string          `json:"quoted_text"`
	Options     InferenceOptions `json:"inference_options"`
}

// InferenceOptions are what a user has chosen in the composer.
type InferenceOptions struct {
	ToolChoice *ToolChoice `json:"tool_choice,omitempty"`
	Model      string      `json:"model,omitempty"`
}

// ToolChoice is a tool that a user has chosen.
type ToolChoice struct {
	ID string `json:"id"`
}

// The types of an [InputPart].
const (
	inputText = "input_text"
	inputTag  = "input_tag"
)

// InputPart is a part of what a user writes: a text, or a tag (an entity that the
// composer knows).
type InputPart struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"` // of a tag, as what follows Text
	Text string `json:"text"`

	Data        json.RawMessage `json:"data,omitempty"`
	Group       string          `json:"group,omitempty"`
	Interactive *bool           `json:"interactive,omitempty"`
}

// Text returns the input as one text, as a model is to read it.
func (in *Input) Text() string {
	var text strings.Builder
	if in.QuotedText != nil && *in.QuotedText != "" {
		text.WriteString("> " + strings.ReplaceAll(*in.QuotedText, "\n", "\n> ") + "\n\n")
	}
	for _, part := range in.Content {
		text.WriteString(part.Text)
	}
	return strings.TrimSpace(text.String())
}

// callParams are the parameters of a request. Names that two operations use for
// different things are read later.
type callParams struct {
	Thread string          `json:"thread_id"`
	Item   string          `json:"item_id"`
	Input  json.RawMessage `json:"input"`
	Limit  *float64        `json:"limit"`
	Order  string          `json:"order"`
	After  string          `json:"after"`
	Title  string          `json:"title"`
}

// ParseCall reads a whole request. Its error says what is wrong with it.
func ParseCall(body []byte) (*Call, error) {
	var r struct {
		Type   Operation       `json:"type"`
		Params json.RawMessage `json:"params"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, errors.New("body is not a JSON object with a type and params")
	}
	if !r.Type.Known() {
		return nil, fmt.Errorf("unknown type %q", truncated(string(r.Type)))
	}
	var p callParams
	if len(r.Params) > 0 {
		if err := json.Unmarshal(r.Params, &p); err != nil {
			return nil, fmt.Errorf("params of %s: %w", r.Type, withoutText(err))
		}
	}
	c := &Call{Type: r.Type, Thread: p.Thread, Item: p.Item, Title: p.Title}
	c.Page = PageRequest{Asc: p.Order == "asc", After: p.After}
	if p.Limit != nil {
		c.Page.Limit = int(min(max(*p.Limit, 0), 1<<20))
	}
	return c, c.readInput(p.Input)
}

// readInput reads the user's message, where the operation has one.
func (c *Call) readInput(text json.RawMessage) error {
	if c.Type != ThreadsCreate && c.Type != ThreadsAddUserMessage {
		return nil
	}
	c.Input = new(Input)
	if len(text) == 0 {
		return fmt.Errorf("params of %s: input is missing", c.Type)
	}
	if err := json.Unmarshal(text, c.Input); err != nil {
		return fmt.Errorf("input: %w", withoutText(err))
	}
	for i := range c.Input.Content {
		if err := c.Input.Content[i].complete(); err != nil {
			return err
		}
	}
	return nil
}

// complete checks a part, and gives a tag what the official types have by default.
func (p *InputPart) complete() error {
	switch p.Type {
	case inputText:
		*p = InputPart{Type: p.Type, Text: p.Text}
	case inputTag:
		if string(p.Data) == "null" || len(p.Data) == 0 {
			p.Data = json.RawMessage("{}")
		}
		if p.Interactive == nil {
			p.Interactive = new(bool)
		}
	default:
		return fmt.Errorf("unknown type of content %q", truncated(p.Type))
	}
	return nil
}

// truncated returns the beginning of a text that somebody else wrote.
func truncated(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// withoutText returns the error of a parser without what the user wrote.
func withoutText(err error) error {
	if typed, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s has the wrong type", typed.Field)
	}
	return errors.New("is not valid JSON")
}

// TextInput returns an input of a text.
func TextInput(text string) *Input {
	return &Input{Content: []InputPart{{Type: inputText, Text: text}}}
}
