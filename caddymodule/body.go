package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/caddy-chatkit/caddy-chatkit/internal/limitread"
)

// maxBody is the largest body of a session request, in bytes.
const maxBody = 64 << 10

// sessionBody is what a front end may send. Unknown fields are ignored: the
// starter app sends some. In particular the user is never read from here.
type sessionBody struct {
	Model         string          `json:"model"`
	Metadata      json.RawMessage `json:"metadata"`
	CurrentSecret string          `json:"currentClientSecret"`
	Token         string          `json:"token"`
}

// readBody parses the body. A body is optional, and its content type does not
// matter (fetch labels a string text/plain) unless it is a form's.
func (x *exchange) readBody() *refusal {
	if isForm(x.r.Header.Get("Content-Type")) {
		return &refusal{Status: http.StatusUnsupportedMediaType, Code: codeUnsupportedMedia, Title: "Unsupported media type",
			Details: "Send JSON (Content-Type: application/json), not a form"}
	}
	if x.r.Body == nil || x.r.Body == http.NoBody {
		if x.rt.kind == OpenAIRoute {
			return x.parseSpec(nil)
		}
		return nil
	}
	if x.r.ContentLength > maxBody {
		return tooLarge()
	}
	body, err := limitread.Read(x.r.Body, maxBody)
	defer body.Release()
	switch {
	case errors.Is(err, limitread.ErrTooLarge):
		return tooLarge()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), x.r.Context().Err() != nil:
		return &refusal{Status: statusClientGone} // left before it had sent it
	case err != nil:
		return badRequest("Body could not be read")
	}
	if x.rt.kind == OpenAIRoute {
		return x.parseSpec(body.Bytes())
	}
	return x.parseBody(body.Bytes())
}

func (x *exchange) parseBody(body []byte) *refusal {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 {
		return nil
	}
	if body[0] != '{' {
		return badRequest("Body is not a JSON object")
	}
	if !utf8.Valid(body) { // metadata goes on as it is, and must be JSON there
		return badRequest("Body is not valid JSON")
	}
	var b sessionBody
	if err := json.Unmarshal(body, &b); err != nil {
		if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return badRequest(fmt.Sprintf("Field %s is not a string", te.Field))
		}
		return badRequest("Body is not valid JSON")
	}
	switch {
	case len(b.Metadata) == 0 || string(b.Metadata) == "null":
	case b.Metadata[0] != '{':
		return badRequest("Field metadata is not an object")
	default:
		x.req.Metadata = b.Metadata
	}
	x.req.Model = b.Model
	x.req.Current = Secret(b.CurrentSecret)
	if x.req.Current == "" {
		x.req.Current = Secret(b.Token)
	}
	return nil
}

// isForm tells whether a content type is one only an HTML form has a reason to
// send: such a request can come from any site without a preflight.
func isForm(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return false
	}
	// Not mime.ParseMediaType: parameters it cannot read do not stop a browser.
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	return t == "application/x-www-form-urlencoded" || t == "multipart/form-data"
}

func badRequest(details string) *refusal {
	return &refusal{Status: http.StatusBadRequest, Code: codeBadRequest, Title: "Bad request", Details: details}
}

func tooLarge() *refusal {
	return &refusal{Status: http.StatusRequestEntityTooLarge, Code: codeBodyTooLarge, Title: "Body too large",
		Details: "A session request has at most 64 KiB"}
}
