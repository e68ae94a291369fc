package caddymodule

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/provider/openai"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// The codes of error answers, a closed list.
const (
	codeBadRequest       = "BAD_REQUEST"
	codeUnauthorized     = "UNAUTHORIZED"
	codeForbiddenOrigin  = "FORBIDDEN_ORIGIN"
	codeMethodNotAllowed = "METHOD_NOT_ALLOWED"
	codeBodyTooLarge     = "BODY_TOO_LARGE"
	codeUnsupportedMedia = "UNSUPPORTED_MEDIA_TYPE"
	codeRateLimited      = "RATE_LIMITED"
	codeRejected         = "REJECTED"
	codeSessionError     = "SESSION_ERROR"
)

const sessionFailed = "Session creation failed"

// statusClientGone is what the access log shows for a client that did not wait
// for its answer, as in Caddy's reverse_proxy.
const statusClientGone = 499

// refusal is an error answer. Front ends show Title; Details is a sentence of
// our own, never anything an upstream has said.
type refusal struct {
	Status     int           `json:"-"`
	RetryAfter time.Duration `json:"-"`

	Title   string `json:"error"`
	Code    string `json:"code"`
	Details string `json:"details"`

	Param string `json:"-"` // the field at fault, on an openai_api route
}

// refuse answers with a refusal of our own, before any provider was asked.
func (x *exchange) refuse(r *refusal) {
	x.provider, x.outcome = nobody, outcomeRefused
	if r.Status == statusClientGone {
		x.leave()
		return
	}
	if x.r.ProtoMajor == 1 && x.r.Header.Get("Expect") != "" {
		// net/http would wait for the body before it sends the answer, and the
		// client for the answer before it sends the body.
		x.setHeader("Connection", "close")
	}
	x.writeRefusal(r)
}

// answerFailure answers where no provider gave a session.
func (x *exchange) answerFailure(res *chain.Result) {
	last := res.Last()
	x.provider, x.outcome = nobody, outcomeFailed
	switch last.Verdict.Reason {
	case session.Canceled:
		x.leave()
		return
	case session.Rejected, session.Status4xx: // the latter: sent on, and nobody is left
		x.provider, x.outcome = last.Link.Name, outcomeRejected
		x.setHeader(providerHeader, x.provider)
		x.writeRefusal(&refusal{Status: last.Verdict.Status, Code: codeRejected, Title: x.failed(),
			Details: capitalized(last.Link.Name) + " refused this request"})
		return
	default:
	}
	r := failure(res)
	if r.Code == codeSessionError {
		r.Title = x.failed()
	}
	x.writeRefusal(r)
}

// failed says what the request was for.
func (x *exchange) failed() string {
	if x.rt.kind == OpenAIRoute && x.tail != "" {
		return "Session cancellation failed"
	}
	return sessionFailed
}

// leave ends a request whose client has gone. The status is for the access log.
func (x *exchange) leave() {
	x.outcome = outcomeCanceled
	x.w.WriteHeader(statusClientGone)
}

// failure is the answer after every provider has failed or was skipped.
func failure(res *chain.Result) *refusal {
	r := &refusal{Status: http.StatusBadGateway, Code: codeSessionError, Title: sessionFailed, Details: describe(res.Trail)}
	skipped, full, limited := true, true, false
	for _, s := range res.Trail {
		reason := s.Verdict.Reason
		skipped = skipped && reason.Skipped()
		limited = limited || reason == session.Status429 || reason == session.RateLimited
		full = full && (reason == session.Status429 || reason == session.RateLimited || reason == session.Cooldown)
		r.RetryAfter = soonest(r.RetryAfter, s.Verdict.Cooldown)
	}
	switch {
	case full && limited:
		r.Status, r.Code, r.Title = http.StatusTooManyRequests, codeRateLimited, "Too many requests"
		r.RetryAfter = max(soonest(r.RetryAfter, res.RetryIn), time.Second)
	case skipped:
		r.Status = http.StatusServiceUnavailable
		r.RetryAfter = max(res.RetryIn, time.Second)
	case res.Last().Verdict.Reason == session.Timeout, res.Last().Verdict.Reason == session.Budget:
		r.Status, r.RetryAfter = http.StatusGatewayTimeout, 0
	default:
		r.RetryAfter = 0
	}
	return r
}

// soonest is the shorter of two waits, of which 0 is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// sentences say in words what a reason means.
var sentences = map[Reason]string{
	session.Dial:            "unreachable",
	session.DNS:             "unreachable",
	session.TLS:             "unreachable",
	session.Timeout:         "timed out",
	session.Reset:           "broke off",
	session.Status5xx:       "failed",
	session.Status408:       "is overloaded",
	session.Status425:       "is overloaded",
	session.Status429:       "is overloaded",
	session.Status4xx:       "refused",
	session.Misconfigured:   "is misconfigured",
	session.InvalidResponse: "gave no valid session",
	session.Open:            "is unavailable",
	session.ForcedOpen:      "is unavailable",
	session.Cooldown:        "is unavailable",
	session.RateLimited:     "is at its limit",
	session.Budget:          "not asked for want of time",
}

// describe says of each provider why it did not serve.
func describe(trail []chain.Step) string {
	parts := make([]string, len(trail))
	for i, s := range trail {
		parts[i] = s.Link.Name + " " + sentences[s.Verdict.Reason]
	}
	return capitalized(strings.Join(parts, ", "))
}

func capitalized(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// writeRefusal writes an error answer.
func (x *exchange) writeRefusal(r *refusal) {
	if r.RetryAfter > 0 {
		seconds := (r.RetryAfter + time.Second - 1) / time.Second
		x.setHeader("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if x.rt.kind == OpenAIRoute {
		x.write(r.Status, openai.ErrorBody(r.Status, r.Title+": "+r.Details, r.Param, strings.ToLower(r.Code)))
		return
	}
	body, err := json.Marshal(r)
	if err != nil { // three strings always marshal
		body = nil
	}
	x.write(r.Status, body)
}
