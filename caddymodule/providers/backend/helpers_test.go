package backend

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// server simulates an app's backend and keeps the last request.
type server struct {
	*httptest.Server
	asked  int
	req    *http.Request
	body   []byte
	status int
	answer string
}

func start(t *testing.T, answer string) *server {
	t.Helper()
	s := &server{status: http.StatusOK, answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked++
		s.req = r
		s.body, _ = io.ReadAll(r.Body)
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, s.answer)
	}))
	t.Cleanup(s.Close)
	return s
}

// provider returns a backend that calls s, with its settings modified by change.
func (s *server) provider(t *testing.T, change func(*Backend)) *Backend {
	t.Helper()
	t.Setenv("CHATKIT_TEST_KEY", "key-1")
	b := &Backend{URL: s.URL, Key: "{env.CHATKIT_TEST_KEY}"}
	if change != nil {
		change(b)
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	t.Cleanup(cancel)
	if err := errors.Join(b.Provision(ctx), b.Validate()); err != nil {
		t.Fatal(err)
	}
	b.client.URL.RawQuery = "v=1"
	return b
}

// sent returns the JSON object that was received.
func (s *server) sent(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(s.body, &m); err != nil {
		t.Fatalf("sent %q: %v", s.body, err)
	}
	return m
}

// text is a JSON string.
func text(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var s string
	if raw == nil {
		return ""
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatalf("%s is not a string: %v", raw, err)
	}
	return s
}

// create requests a session like the chain: an unusable session is an error.
func create(t *testing.T, b *Backend, req session.Request) (session.Session, error) {
	t.Helper()
	s, err := b.Create(t.Context(), &req)
	if err == nil {
		err = s.Check(time.Now())
	}
	return s, err
}

func reason(t *testing.T, err error) session.Reason {
	t.Helper()
	if err == nil {
		t.Fatal("it worked")
	}
	if _, ok := errors.AsType[*session.Failure](err); !ok {
		t.Errorf("got %v (%T), want a failure", err, err)
	}
	return session.Classify(t.Context(), t.Context(), err, nil).Reason
}

const good = `{"session_id":"s1"}`
