package caddymodule

import (
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// lastFailure is the latest failed attempt of a provider.
type lastFailure struct {
	reason Reason
	status int
	at     time.Time
}

// changed tells operators that the breaker has changed its state.
func (e *gateEntry) changed(c breaker.Change) {
	metrics.transitions.WithLabelValues(e.name, string(c.From), string(c.To)).Inc()
	reason := e.why(c)
	a := e.announcer.Load()
	log := a.logger.Info
	if c.To == breaker.Open || c.To == breaker.ForcedOpen || c.To == breaker.ForcedClosed {
		log = a.logger.Warn
	}
	log("breaker changed", zap.String("provider", e.name),
		zap.String("from", string(c.From)), zap.String("to", string(c.To)), zap.String("reason", reason))
	a.emit(eventBreaker, map[string]any{
		"provider": e.name, "from": string(c.From), "to": string(c.To), "reason": reason,
	})
}

// why says what has changed a breaker: the failure that opened it, or an
// operator's words.
func (e *gateEntry) why(c breaker.Change) string {
	switch c.To {
	case breaker.ForcedOpen, breaker.ForcedClosed:
		if f := e.gate.Forced(); f != nil {
			return f.Reason
		}
	case breaker.Open:
		if f := e.last.Load(); f != nil && c.From != breaker.ForcedOpen && c.From != breaker.ForcedClosed {
			return string(f.reason)
		}
	default:
	}
	return ""
}

// failed notes a failed attempt, and tells operators of what they have to mend.
func (e *gateEntry) failed(v session.Verdict, err error, requestID string) {
	if v.Effect == session.Failed {
		e.last.Store(&lastFailure{reason: v.Reason, status: v.Status, at: time.Now()})
	}
	logger := e.announcer.Load().logger
	log, message := logger.Error, "provider is misconfigured"
	switch v.Reason {
	case session.Misconfigured:
	case session.Rejected, session.Status4xx:
		log, message = logger.Warn, "provider refused a request"
	default:
		return // the metrics count it, and the breaker tells when it is too much
	}
	ok, held := e.lines.pass(string(v.Reason))
	if !ok {
		return
	}
	log(message, zap.String("provider", e.name), zap.String("reason", string(v.Reason)), zap.Int("status", v.Status), zap.String("hint", hint(v, e.module)),
		zap.String("request_id", requestID), zap.Int("suppressed", held), zap.Error(err))
}

// hint is what a status mostly comes from.
func hint(v session.Verdict, module string) string {
	switch {
	case v.Status == http.StatusUnprocessableEntity && module == "backend":
		return "does it expect user_id in the query? then: user_in query"
	case v.Status == http.StatusUnauthorized && v.Reason == session.Misconfigured:
		return "the key is missing, wrong or revoked"
	case v.Status == http.StatusNotFound && module == moduleOpenAI:
		return "the workflow is retired, or of another project than the key"
	case v.Status == http.StatusNotFound && module == "backend":
		return "url or session_path is wrong"
	}
	return ""
}

// fellBack tells operators that another provider has served than the first.
func (e *gateEntry) fellBack(servedBy string, reason Reason, requestID string) {
	a := e.announcer.Load()
	if ok, held := e.lines.pass("fallback " + string(reason)); ok {
		a.logger.Warn("fallback", zap.String("provider", e.name), zap.String("served_by", servedBy),
			zap.String("reason", string(reason)), zap.String("request_id", requestID), zap.Int("suppressed", held))
	}
	if ok, _ := e.lines.pass(eventFallback); ok {
		a.emit(eventFallback, map[string]any{"provider": e.name, "served_by": servedBy, "reason": string(reason)})
	}
}
