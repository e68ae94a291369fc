package caddymodule

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

// knownPrefix is how much of a chatkit request's beginning is always known, in
// bytes: its type stands there.
const knownPrefix = 4 << 10

// streamingTypes are the requests of ChatKit's custom-server protocol that are
// answered by a stream (chatkit-python, chatkit/types.py).
var streamingTypes = map[string]bool{
	"threads.create": true, "threads.add_user_message": true, "threads.add_client_tool_output": true,
	"threads.add_structured_input": true, "threads.retry_after_item": true, "threads.custom_action": true,
}

// streams reports whether a chatkit request is answered by a stream.
func streams(body relay.Content) bool {
	if !body.Whole {
		return streamingTypes[typeOf(body.Bytes)]
	}
	var req struct {
		Type string `json:"type"`
	}
	return json.Unmarshal(body.Bytes, &req) == nil && streamingTypes[req.Type]
}

// typeOf returns the type of a request of which only the beginning is known, "" if
// it does not stand there.
func typeOf(beginning []byte) string {
	d := json.NewDecoder(bytes.NewReader(beginning))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return ""
	}
	for {
		name, err := d.Token()
		if err != nil {
			return ""
		}
		if name == "type" {
			value, _ := d.Token()
			text, _ := value.(string)
			return text
		}
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			return ""
		}
	}
}

// unfit reports whether an answer is of no use to the widget, which understands
// only a stream where it has asked for one. A refusal it understands.
func (c *carriedRequest) unfit(resp *relay.Response) bool {
	if c.route.kind != ChatKitRoute || !streams(resp.Sent) {
		return false
	}
	good := resp.StatusCode < http.StatusMultipleChoices
	return resp.StatusCode >= http.StatusInternalServerError || good && !isEventStream(resp.Header.Get("Content-Type"))
}

// writeErrorEvent answers a streaming chatkit request with an error that the
// widget understands. On a 5xx, or another content type, it silently retries five
// times.
func (c *carriedRequest) writeErrorEvent(p *problem.Problem) {
	const event = `data: {"allow_retry":true,"code":"custom","message":"The chat is unavailable for the moment","type":"error"}` + "\n\n"
	sseHeaders(c.w.Header(), c.r)
	c.w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(c.w, event)
	c.h.logger.Debug("chat is unavailable", zap.String("details", p.Details))
}
