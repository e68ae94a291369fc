package caddymodule

import (
	"encoding/json"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
)

// The headers that say who answered, and why not the first provider, in the
// canonical form of net/http.
const (
	providerHeader = "X-Chatkit-Provider"
	reasonHeader   = "X-Chatkit-Fallback-Reason"
)

// sessionAnswer is the answer with a session.
type sessionAnswer struct {
	ClientSecret string          `json:"client_secret"`
	ExpiresAt    string          `json:"expires_at,omitempty"`
	Model        string          `json:"model,omitempty"`
	Metadata     json.RawMessage `json:"metadata,omitempty"`
	Provider     string          `json:"provider"`
}

// answerSession answers with the session of the provider that served.
func (x *exchange) answerSession(res *chain.Result) {
	x.provider, x.outcome = res.Served.Name, outcomeOK
	x.setHeader(providerHeader, x.provider)
	issuers().Put(&res.Session, x.provider)
	if res.Fallback() {
		x.outcome = outcomeFallback
		x.setHeader(reasonHeader, string(x.reason))
		first := res.Trail[0].Link.Name
		metrics.fallbacks.WithLabelValues(first, x.provider, string(x.reason)).Inc()
		x.h.link(first).entry.fellBack(x.provider, x.reason, x.req.ID)
	}
	if x.rt.kind == OpenAIRoute {
		x.answerResource(&res.Session)
		return
	}
	a := sessionAnswer{
		ClientSecret: res.Session.Secret.Reveal(),
		Model:        res.Session.Model,
		Metadata:     res.Session.Metadata,
		Provider:     x.provider,
	}
	if !res.Session.ExpiresAt.IsZero() {
		a.ExpiresAt = res.Session.ExpiresAt.UTC().Format(time.RFC3339)
	}
	body, err := json.Marshal(a)
	if err != nil { // a third party's metadata that is no JSON
		x.h.logger.Error("session cannot be written", zap.String("provider", x.provider), zap.Error(err))
		x.outcome = outcomeFailed
		x.writeRefusal(&refusal{Status: http.StatusBadGateway, Code: codeSessionError, Title: sessionFailed,
			Details: capitalized(x.provider) + " gave no valid session"})
		return
	}
	if len(res.Session.Extra) > 0 {
		body = withExtra(body, res.Session.Extra)
	}
	x.write(http.StatusOK, body)
}

// write sends the answer. A client that cannot be written to has gone; nobody
// is left to be told.
func (x *exchange) write(status int, body []byte) {
	x.setHeader("Content-Type", "application/json")
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}
