package problem

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The codes of problems, a closed list: Codes has them all.
const (
	CodeBadRequest       = "BAD_REQUEST"
	CodeUnauthorized     = "UNAUTHORIZED"
	CodeForbiddenOrigin  = "FORBIDDEN_ORIGIN"
	CodeMethodNotAllowed = "METHOD_NOT_ALLOWED"
	CodeBodyTooLarge     = "BODY_TOO_LARGE"
	CodeBodyTimeout      = "BODY_TIMEOUT"
	CodeUnsupportedMedia = "UNSUPPORTED_MEDIA_TYPE"
	CodeRateLimited      = "RATE_LIMITED"
	CodeRejected         = "REJECTED"
	CodeSessionElsewhere = "SESSION_ELSEWHERE"
	CodeSessionError     = "SESSION_ERROR"
	CodeNotFound         = "NOT_FOUND"       // on an openai_api or chatkit route
	CodeInvalidKey       = "INVALID_API_KEY" // on an openai_api route only
)

// Codes returns the codes as metric labels.
func Codes() []string {
	codes := []string{
		CodeBadRequest, CodeUnauthorized, CodeForbiddenOrigin, CodeMethodNotAllowed, CodeBodyTooLarge, CodeUnsupportedMedia,
		CodeRateLimited, CodeRejected, CodeSessionElsewhere, CodeSessionError, CodeNotFound, CodeInvalidKey, CodeBodyTimeout,
	}
	for i, code := range codes {
		codes[i] = strings.ToLower(code)
	}
	return codes
}

// SessionFailed is the title of most problems.
const SessionFailed = "Session creation failed"

// StatusClientGone is what the access log shows for a client that did not wait
// for its answer, as in Caddy's reverse_proxy.
const StatusClientGone = 499

// Problem is an error answer of ours. Front ends show Title. Details is a sentence
// of our own, never anything an upstream said.
type Problem struct {
	Title   string `json:"error"`
	Code    string `json:"code"`
	Details string `json:"details"`

	Status     int           `json:"-"`
	RetryAfter time.Duration `json:"-"` // 0: no header
	Allow      string        `json:"-"` // of a 405
	Param      string        `json:"-"` // the field at fault, on an openai_api route
}

// BadRequest is the problem of a request that is not as it has to be.
func BadRequest(details string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: CodeBadRequest, Title: "Bad request", Details: details}
}

// Unauthorized is the problem of a request by nobody we know.
func Unauthorized(details string) *Problem {
	return &Problem{Status: http.StatusUnauthorized, Code: CodeUnauthorized, Title: "Unauthorized", Details: details}
}

// MethodNotAllowed is the problem of a request with another method than allow has.
func MethodNotAllowed(allow, details string) *Problem {
	return &Problem{Status: http.StatusMethodNotAllowed, Code: CodeMethodNotAllowed, Title: "Method Not Allowed",
		Details: details, Allow: allow}
}

// OnlyPOST is the step that refuses other methods.
func OnlyPOST(r *http.Request) *Problem {
	if r.Method == http.MethodPost {
		return nil
	}
	return MethodNotAllowed("POST, OPTIONS", "Use POST")
}

// SetHeaders sets the headers that come with a problem.
func (p *Problem) SetHeaders(h http.Header) {
	h.Set("Content-Type", "application/json")
	if p.RetryAfter > 0 {
		seconds := (p.RetryAfter + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if p.Allow != "" {
		h.Set("Allow", p.Allow)
	}
}

// Body returns the problem as JSON.
func (p *Problem) Body() []byte {
	body, err := json.Marshal(p)
	if err != nil { // three strings always marshal
		return nil
	}
	return body
}
