package provider_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// upstream is a server and a client for it.
type upstream struct {
	provider.Client
	conns atomic.Int32 // opened so far
}

func start(t *testing.T, h http.HandlerFunc) *upstream {
	t.Helper()
	u := &upstream{}
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			u.conns.Add(1)
		}
	}
	s.Start()
	tr := &http.Transport{DisableCompression: true}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		s.CloseClientConnections()
		s.Close()
	})
	target, err := url.Parse(s.URL + "/api/sessions?v=1")
	if err != nil {
		t.Fatal(err)
	}
	u.Client = provider.Client{URL: target, Transport: tr}
	return u
}

// ask posts an empty object and returns the body that was passed to parse.
func (u *upstream) ask(ctx context.Context) (body string, judged bool, err error) {
	err = u.Post(ctx, &provider.Call{Body: []byte(`{}`)}, func(b []byte) error {
		body, judged = string(b), true
		return nil
	})
	return body, judged, err
}

// failure returns err as a failure, which it must be.
func failure(t *testing.T, err error) *session.Failure {
	t.Helper()
	f, ok := errors.AsType[*session.Failure](err)
	if !ok {
		t.Fatalf("got %v (%T), want a failure", err, err)
	}
	return f
}

func replies(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// wire answers with raw bytes and closes the connection.
func wire(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, text)
		_ = c.Close()
	}
}
