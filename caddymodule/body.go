package caddymodule

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"unicode"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
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
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *problem.Problem) {
	if isForm(r.Header.Get("Content-Type")) {
		return nil, &problem.Problem{Status: http.StatusUnsupportedMediaType, Code: problem.CodeUnsupportedMedia, Title: "Unsupported media type",
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
	case errors.Is(err, os.ErrDeadlineExceeded): // of the server, for reading; it ends the request's context too
		return nil, problem.BodyTooSlow()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), r.Context().Err() != nil:
		return nil, &problem.Problem{Status: problem.StatusClientGone} // before it had sent the body
	}
	return nil, problem.BadRequest("Body could not be read")
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

// parseBody reads a body into a request. Unknown fields are ignored: the starter app
// sends some. In particular the user is never read from here.
func parseBody(body []byte, req *session.Request) *problem.Problem {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 {
		return nil
	}
	if body[0] != '{' {
		return problem.BadRequest("Body is not a JSON object")
	}
	if err := ijson.Check(body); err != nil { // metadata is passed on as it is
		return problem.BadRequest("Body " + err.Error())
	}
	var b sessionBody
	if field := b.read(body); field != "" {
		return problem.BadRequest("Field " + field + " is not a string")
	}
	switch {
	case len(b.metadata) == 0 || string(b.metadata) == "null":
	case b.metadata[0] != '{':
		return problem.BadRequest("Field metadata is not an object")
	default:
		req.Metadata = b.metadata
	}
	if len(b.model) > maxModel || strings.ContainsFunc(b.model, unicode.IsControl) {
		return problem.BadRequest(fmt.Sprintf("Field model has more than %d bytes or a control character", maxModel))
	}
	req.Model = b.model
	req.Current = session.Secret(cmp.Or(b.current, b.token))
	return nil
}

// sessionBody is what a front end may send.
type sessionBody struct {
	model    string
	metadata []byte
	current  string // the secret, on a refresh
	token    string // the same
}

// read reads the fields of an object. It returns the name of the first one that has to
// be a string and is not.
func (b *sessionBody) read(object []byte) (wrong string) {
	for name, value := range ijson.Members(object) {
		var field string
		var text *string
		switch {
		case name.Is("model"):
			field, text = "model", &b.model
		case name.Is("currentClientSecret"):
			field, text = "currentClientSecret", &b.current
		case name.Is("token"):
			field, text = "token", &b.token
		case name.Is("metadata"):
			b.metadata = value
			continue
		default:
			continue
		}
		if string(value) == "null" {
			continue
		}
		s, ok := ijson.String(value)
		if !ok {
			return field
		}
		*text = s
	}
	return ""
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

func tooLarge() *problem.Problem {
	return &problem.Problem{Status: http.StatusRequestEntityTooLarge, Code: problem.CodeBodyTooLarge, Title: "Body too large",
		Details: "A session request has at most 64 KiB"}
}
