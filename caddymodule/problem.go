package caddymodule

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// The codes of problems, a closed list: problemCodes has them all.
const (
	codeBadRequest       = "BAD_REQUEST"
	codeUnauthorized     = "UNAUTHORIZED"
	codeForbiddenOrigin  = "FORBIDDEN_ORIGIN"
	codeMethodNotAllowed = "METHOD_NOT_ALLOWED"
	codeBodyTooLarge     = "BODY_TOO_LARGE"
	codeBodyTimeout      = "BODY_TIMEOUT"
	codeUnsupportedMedia = "UNSUPPORTED_MEDIA_TYPE"
	codeRateLimited      = "RATE_LIMITED"
	codeRejected         = "REJECTED"
	codeSessionElsewhere = "SESSION_ELSEWHERE"
	codeSessionError     = "SESSION_ERROR"
	codeNotFound         = "NOT_FOUND"       // on an openai_api or chatkit route
	codeInvalidKey       = "INVALID_API_KEY" // on an openai_api route only
)

// problemCodes are the codes as metric labels.
func problemCodes() []string {
	codes := []string{
		codeBadRequest, codeUnauthorized, codeForbiddenOrigin, codeMethodNotAllowed, codeBodyTooLarge, codeUnsupportedMedia,
		codeRateLimited, codeRejected, codeSessionElsewhere, codeSessionError, codeNotFound, codeInvalidKey, codeBodyTimeout,
	}
	for i, code := range codes {
		codes[i] = strings.ToLower(code)
	}
	return codes
}

// sessionFailed is the title of most problems.
const sessionFailed = "Session creation failed"

// statusClientGone is what the access log shows for a client that did not wait
// for its answer, as in Caddy's reverse_proxy.
const statusClientGone = 499

// problem is an error answer of ours. Front ends show Title. Details is a sentence
// of our own, never anything an upstream said.
type problem struct {
	Title   string `json:"error"`
	Code    string `json:"code"`
	Details string `json:"details"`

	Status     int           `json:"-"`
	RetryAfter time.Duration `json:"-"` // 0: no header
	Allow      string        `json:"-"` // of a 405
	Param      string        `json:"-"` // the field at fault, on an openai_api route
}

func badRequest(details string) *problem {
	return &problem{Status: http.StatusBadRequest, Code: codeBadRequest, Title: "Bad request", Details: details}
}

func unauthorized(details string) *problem {
	return &problem{Status: http.StatusUnauthorized, Code: codeUnauthorized, Title: "Unauthorized", Details: details}
}

func methodNotAllowed(allow, details string) *problem {
	return &problem{Status: http.StatusMethodNotAllowed, Code: codeMethodNotAllowed, Title: "Method Not Allowed",
		Details: details, Allow: allow}
}

// onlyPOST is the step that refuses other methods.
func onlyPOST(r *http.Request) *problem {
	if r.Method == http.MethodPost {
		return nil
	}
	return methodNotAllowed("POST, OPTIONS", "Use POST")
}

// setHeaders sets the headers that come with a problem.
func (p *problem) setHeaders(h http.Header) {
	h.Set("Content-Type", "application/json")
	if p.RetryAfter > 0 {
		seconds := (p.RetryAfter + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if p.Allow != "" {
		h.Set("Allow", p.Allow)
	}
}

// body returns the problem as JSON.
func (p *problem) body() []byte {
	body, err := json.Marshal(p)
	if err != nil { // three strings always marshal
		return nil
	}
	return body
}

// rejected is the problem for a caller that a provider refused.
func rejected(title string, last chain.Step) *problem {
	return &problem{Status: last.Verdict.Status, Code: codeRejected, Title: title,
		Details: capitalized(last.Target.Name) + " refused this request"}
}

// unserved is the problem of a request that every provider failed or skipped.
func unserved(trail *chain.Trail) *problem {
	p := &problem{Status: http.StatusBadGateway, Code: codeSessionError, Title: sessionFailed, Details: describe(trail)}
	skipped, full, limited := true, true, false
	var cooldown time.Duration
	for _, s := range trail.Steps {
		reason := s.Verdict.Reason
		skipped = skipped && reason.Skipped()
		limited = limited || reason == session.Status429 || reason == session.RateLimited
		full = full && (reason == session.Status429 || reason == session.RateLimited || reason == session.Cooldown)
		cooldown = soonest(cooldown, s.Verdict.Cooldown)
	}
	switch {
	case full && limited:
		p.Status, p.Code, p.Title = http.StatusTooManyRequests, codeRateLimited, "Too many requests"
		p.RetryAfter = max(soonest(cooldown, trail.RetryIn), time.Second)
	case skipped:
		p.Status = http.StatusServiceUnavailable
		p.RetryAfter = max(trail.RetryIn, time.Second)
	case trail.Last().Verdict.Reason == session.Timeout, trail.Last().Verdict.Reason == session.Budget:
		p.Status = http.StatusGatewayTimeout
	}
	return p
}

// soonest is the shorter of two waits, of which 0 is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// reasonText says in words what a reason means.
var reasonText = map[session.Reason]string{
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
	session.FirstToken:      "was too slow",
	session.Budget:          "skipped: out of time",
	session.Canceled:        "could not be asked",
}

// describe says why each provider did not serve.
func describe(trail *chain.Trail) string {
	parts := make([]string, len(trail.Steps))
	for i, s := range trail.Steps {
		parts[i] = s.Target.Name + " " + reasonText[s.Verdict.Reason]
	}
	return capitalized(strings.Join(parts, ", "))
}

func capitalized(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
