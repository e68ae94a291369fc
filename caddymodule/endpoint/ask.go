package endpoint

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/internal/modelapi"
	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// Ask sends a request to the model, and reads the answer with read. Nothing of the
// caller goes along but what stands in body.
func (e *Endpoint) Ask(
	ctx context.Context, body any, w standin.Writer, read func(*http.Response, standin.Writer) error,
) error {
	data, err := provider.Encode(body)
	if err != nil {
		return session.Invalid("building request: %w", err)
	}
	call := provider.Call{Body: data, Explain: modelapi.Explain}
	return e.client.Stream(ctx, &call, func(resp *http.Response) error { return read(resp, w) })
}

var errTooLong = errors.New("the message is longer than history")

// Messages returns what the model gets of a conversation.
func (e *Endpoint) Messages(t *standin.Turn) ([]modelapi.Message, error) {
	messages := modelapi.Messages(t.History, int(cmp.Or(e.History, defaultHistory)))
	if messages == nil {
		return nil, &session.Failure{Reason: session.Rejected, Err: errTooLong}
	}
	return messages, nil
}

// OpenAI reports whether the server takes all of OpenAI's fields.
func (e *Endpoint) OpenAI() bool { return e.dialect == openAI }

// Plain reports whether the server takes only the fields that are needed.
func (e *Endpoint) Plain() bool { return e.dialect == plain }

// ModelName is the name of the model.
func (e *Endpoint) ModelName() string { return e.model }

// Told is what the model is told before the conversation.
func (e *Endpoint) Told() string { return e.instructions }

// Tokens is the most tokens of an answer.
func (e *Endpoint) Tokens() int { return cmp.Or(e.MaxTokens, defaultMaxTokens) }

// Hint implements [session.Hinter].
func (*Endpoint) Hint(v session.Verdict) string {
	switch v.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "does the server refuse a field? then: dialect plain; or the conversation is too long for the model: history"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "url or model is wrong; url usually ends in /v1"
	case http.StatusForbidden:
		return "the key may not use the model"
	case http.StatusPaymentRequired, http.StatusTooManyRequests:
		return "the account has no credit left"
	}
	return ""
}
