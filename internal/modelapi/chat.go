package modelapi

import (
	"encoding/json"
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// chunk is an event of Chat Completions, or a whole answer.
type chunk struct {
	Choices []choice   `json:"choices"`
	Usage   *chatUsage `json:"usage"`
}

type choice struct {
	Index        int     `json:"index"`
	Delta        words   `json:"delta"`
	Message      words   `json:"message"` // in a whole answer
	FinishReason *string `json:"finish_reason"`
}

// words are what the model says. What it thinks to itself stands in other fields.
type words struct {
	Content content `json:"content"`
	Refusal *string `json:"refusal"`
}

type chatUsage struct {
	In  int `json:"prompt_tokens"`
	Out int `json:"completion_tokens"`
}

// content is a text, or a list of parts of which some are text.
type content string

// UnmarshalJSON implements [json.Unmarshaler].
func (c *content) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil { // null too
		*c = content(text)
		return nil
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	for _, p := range parts {
		if p.Type == "text" {
			*c += content(p.Text)
		}
	}
	return nil
}

// ReadChat reads the answer of Chat Completions to a request with stream: true, and
// writes its text as it comes. It returns nil for a complete answer, a
// [*standin.Incomplete] for one that a limit or a filter has cut, an error of w as it
// is, and a [*session.Failure] for anything else.
func ReadChat(resp *http.Response, w standin.Writer) error {
	a := &answer{w: w}
	if isJSON(resp) {
		return a.whole(resp, a.chunk)
	}
	return a.read(resp, a.chunk)
}

// chunk takes an event. The answer ends with a finish_reason; the numbers of tokens may
// follow in a chunk of their own, which has no choices.
func (a *answer) chunk(data []byte) (over bool, err error) {
	var c chunk
	if json.Unmarshal(data, &c) != nil {
		return false, session.Invalid("an event is no chunk of a chat completion")
	}
	if c.Usage != nil {
		a.usage(c.Usage.In, c.Usage.Out)
		over = a.done
	}
	for _, choice := range c.Choices {
		if choice.Index != 0 || a.done {
			continue
		}
		for _, said := range []words{choice.Delta, choice.Message} {
			if err := a.say(said); err != nil {
				return false, err
			}
		}
		if choice.FinishReason != nil && *choice.FinishReason != "" {
			if err := a.finish(*choice.FinishReason); err != nil {
				return false, err
			}
		}
	}
	return over, nil
}

func (a *answer) say(said words) error {
	if err := a.write(string(said.Content)); err != nil {
		return err
	}
	if said.Refusal != nil { // is what the model answers
		return a.write(*said.Refusal)
	}
	return nil
}

// finish takes a finish_reason. Servers have words of their own for a good end.
func (a *answer) finish(reason string) error {
	switch reason {
	case "length", "max_tokens", "model_length":
		a.end(&standin.Incomplete{Reason: standin.MaxTokens})
	case "content_filter":
		a.end(&standin.Incomplete{Reason: standin.ContentFilter})
	case "error", "abort", "cancelled":
		return session.Invalid("the model broke off")
	case "tool_calls", "function_call":
		return session.Invalid("the model called a tool, and was given none")
	default:
		a.end(nil)
	}
	return nil
}
