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
	"unicode"

	"github.com/caddy-chatkit/caddy-chatkit/internal/ijson"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Limits of a session request, in bytes.
const (
	maxBody  = 64 << 10
	maxModel = 256
)

// readBody reads the body of a session request. It is optional, and its content
// type does not matter (fetch labels a string text/plain) unless it is that of a
// form.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *problem) {
	if isForm(r.Header.Get("Content-Type")) {
		return nil, &problem{Status: http.StatusUnsupportedMediaType, Code: codeUnsupportedMedia, Title: "Unsupported media type",
			Details: "Send JSON (Content-Type: application/json), not a form"}
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := readAtMost(w, r)
	_, large := errors.AsType[*http.MaxBytesError](err)
	switch {
	case err == nil:
		return body, nil
	case large:
		return nil, tooLarge()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), r.Context().Err() != nil:
		return nil, &problem{Status: statusClientGone} // before it had sent the body
	}
	return nil, badRequest("Body could not be read")
}

// readAtMost reads a body, into a buffer of its length where that is known.
func readAtMost(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	switch {
	case r.ContentLength > maxBody:
		return nil, &http.MaxBytesError{Limit: maxBody}
	case r.ContentLength < 0:
		return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// sessionBody is what a front end may send. Unknown fields are ignored: the
// starter app sends some. In particular the user is never read from here.
type sessionBody struct {
	Model         string          `json:"model"`
	Metadata      json.RawMessage `json:"metadata"`
	CurrentSecret session.Secret  `json:"currentClientSecret"`
	Token         session.Secret  `json:"token"`
}

// parseBody reads a body into a request.
func parseBody(body []byte, req *session.Request) *problem {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 {
		return nil
	}
	if body[0] != '{' {
		return badRequest("Body is not a JSON object")
	}
	if err := ijson.Check(body); err != nil { // metadata is passed on as it is
		return badRequest("Body " + err.Error())
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
		req.Metadata = b.Metadata
	}
	if len(b.Model) > maxModel || strings.ContainsFunc(b.Model, unicode.IsControl) {
		return badRequest(fmt.Sprintf("Field model has more than %d bytes or a control character", maxModel))
	}
	req.Model = b.Model
	req.Current = b.CurrentSecret
	if req.Current == "" {
		req.Current = b.Token
	}
	return nil
}

// isForm reports whether a content type is one that only an HTML form has a reason
// to send. Any site can send such a request without a preflight.
func isForm(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return false
	}
	// Not mime.ParseMediaType: parameters that it cannot read do not stop a browser.
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	return t == "application/x-www-form-urlencoded" || t == "multipart/form-data"
}

func tooLarge() *problem {
	return &problem{Status: http.StatusRequestEntityTooLarge, Code: codeBodyTooLarge, Title: "Body too large",
		Details: "A session request has at most 64 KiB"}
}
