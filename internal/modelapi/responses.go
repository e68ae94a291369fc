package modelapi

import (
	"encoding/json"
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// responseEvent is an event of the Responses API, as far as it is of use.
type responseEvent struct {
	Type         string   `json:"type"`
	ItemID       string   `json:"item_id"`
	ContentIndex int      `json:"content_index"`
	Delta        string   `json:"delta"`
	Text         string   `json:"text"`
	Refusal      string   `json:"refusal"`
	Response     response `json:"response"`
}

type response struct {
	Status     string    `json:"status"`
	Error      *apiError `json:"error"`
	Incomplete *struct {
		Reason string `json:"reason"`
	} `json:"incomplete_details"`
	Usage *struct {
		In  int `json:"input_tokens"`
		Out int `json:"output_tokens"`
	} `json:"usage"`
}

// part is one text of an answer, which may have several.
type part struct {
	item  string
	index int
}

// responses reads a stream of the Responses API.
type responses struct {
	answer

	current part
	spoken  map[part]bool // has come in deltas
}

// ReadResponses is [ReadChat] for the Responses API.
func ReadResponses(resp *http.Response, w standin.Writer) error {
	r := &responses{answer: answer{w: w}, spoken: make(map[part]bool)}
	if isJSON(resp) {
		return r.whole(resp, func([]byte) (bool, error) {
			return false, session.Invalid("the answer is no event stream")
		})
	}
	return r.read(resp, r.event)
}

// event takes an event. Those that are not here say nothing to who waits for an answer.
func (r *responses) event(data []byte) (over bool, err error) {
	var kind struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(data, &kind) != nil {
		return false, session.Invalid("an event is none of the Responses API")
	}
	if _, known := handled[kind.Type]; !known {
		return false, nil
	}
	var e responseEvent
	if json.Unmarshal(data, &e) != nil {
		return false, session.Invalid("an event is none of the Responses API")
	}
	return r.take(&e)
}

// handled are the events that matter. Others may have fields of the same names and
// other types.
var handled = map[string]struct{}{
	"response.output_text.delta": {}, "response.refusal.delta": {}, "response.output_text.done": {}, "response.refusal.done": {},
	"response.completed": {}, "response.incomplete": {}, "response.failed": {}, "response.cancelled": {},
}

func (r *responses) take(e *responseEvent) (over bool, err error) {
	p := part{e.ItemID, e.ContentIndex}
	switch e.Type {
	case "response.output_text.delta", "response.refusal.delta":
		return false, r.say(p, e.Delta)
	case "response.output_text.done", "response.refusal.done":
		if r.spoken[p] {
			return false, nil
		}
		return false, r.say(p, e.Text+e.Refusal) // of a server that has no deltas
	}
	return true, r.finish(e.Type, &e.Response)
}

// finish takes the event that ends an answer. Some servers send response.completed
// whatever the status, so that has to agree.
func (r *responses) finish(event string, resp *response) error {
	if u := resp.Usage; u != nil {
		r.usage(u.In, u.Out)
	}
	switch {
	case event == "response.failed" || resp.Status == "failed":
		if resp.Error != nil {
			return resp.Error.failure()
		}
		return session.Invalid("the model reports an error")
	case event == "response.cancelled" || resp.Status == "cancelled":
		return session.Invalid("the model broke off")
	case event == "response.incomplete":
		return r.incomplete(resp)
	case resp.Status == "incomplete":
		r.end(&standin.Incomplete{Reason: standin.MaxTokens}) // the details may be missing
	}
	r.end(nil)
	return nil
}

// maxParts bounds how many texts an answer may have.
const maxParts = 1000

// say writes a part of a text, with a blank line between two texts.
func (r *responses) say(p part, delta string) error {
	if delta == "" {
		return nil
	}
	if r.text && p != r.current {
		delta = "\n\n" + delta
	}
	r.current = p
	if r.spoken[p] = true; len(r.spoken) > maxParts {
		return session.Invalid("the answer has more than %d texts", maxParts)
	}
	return r.write(delta)
}

// incomplete takes the end of an answer that was cut.
func (r *responses) incomplete(resp *response) error {
	reason := ""
	if resp.Incomplete != nil {
		reason = resp.Incomplete.Reason
	}
	switch reason {
	case "max_output_tokens", "max_tokens":
		r.end(&standin.Incomplete{Reason: standin.MaxTokens})
	case "content_filter":
		r.end(&standin.Incomplete{Reason: standin.ContentFilter})
	default:
		return session.Invalid("the model broke off")
	}
	return nil
}
