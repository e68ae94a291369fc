package provider_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// What Explain is called with.
func TestExplain(t *testing.T) {
	padding := strings.Repeat("x", provider.MaxAnswer)
	cases := []struct {
		name   string
		answer http.HandlerFunc
		body   string
		err    error
	}{
		{"whole", says(400, "why"), "why", nil},
		{"empty", says(500, ""), "", nil},
		{"largest", says(400, padding), padding, nil},
		{"too large", says(400, padding+"x"), "", nil},
		{"cut", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, "why")
		}, "why", io.ErrUnexpectedEOF},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			u := start(t, c.answer)
			asked := 0
			call := provider.Call{Body: []byte("{}")}
			call.Explain = func(f *session.Failure, body []byte, err error) {
				asked++
				if string(body) != c.body || !errors.Is(err, c.err) || (err != nil) != (c.err != nil) {
					t.Errorf("explained %.100q, %v; want %.100q, %v", body, err, c.body, c.err)
				}
				f.Reason = session.Misconfigured
			}
			err := u.Post(t.Context(), &call, func([]byte) error { return errors.New("judged") })
			f, ok := errors.AsType[*session.Failure](err)
			if !ok || f.Reason != session.Misconfigured || f.Status < 400 || !f.Answered || asked != 1 {
				t.Errorf("got %v, explained %d times", err, asked)
			}
		})
	}
}

// Explain is not called for a success.
func TestExplainNoSuccess(t *testing.T) {
	u := start(t, says(200, "{}"))
	call := provider.Call{Explain: func(*session.Failure, []byte, error) { t.Error("explained") }}
	if err := u.Post(t.Context(), &call, func([]byte) error { return nil }); err != nil {
		t.Error(err)
	}
}

// says answers with a status and a body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
