package provider_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// A check is a GET with the client's headers. 2xx is health, every other status a
// failure that shows it, and no answer an error of the transport.
func TestCheck(t *testing.T) {
	for _, status := range []int{200, 204, 299, 301, 302, 401, 404, 429, 500, 503} {
		var got *http.Request
		u := start(t, func(w http.ResponseWriter, r *http.Request) {
			got = r
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		u.Header = http.Header{"Authorization": {"Bearer k"}, "Content-Type": {"application/json"}}
		at, _ := url.Parse(u.URL.Scheme + "://" + u.URL.Host + "/healthz?deep=1")
		err := u.Check(t.Context(), at)
		f, failed := errors.AsType[*session.Failure](err)
		if failed == (status < 300) || failed && f.Status != status {
			t.Errorf("%d: got %v", status, err)
		}
		if got.Method != http.MethodGet || got.URL.RawQuery != "deep=1" || got.Header.Get("Authorization") != "Bearer k" || got.Header.Get("Content-Type") != "" {
			t.Errorf("%d: asked by %s %s %v", status, got.Method, got.URL, got.Header)
		}
	}
}

// A body is read no further than to keep the connection.
func TestCheckOfAnEndlessAnswer(t *testing.T) {
	u := start(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	began := time.Now()
	if err := u.Check(t.Context(), u.URL); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("got %v after %s", err, time.Since(began))
	}
}

func TestCheckOfASilentService(t *testing.T) {
	u := start(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := u.Check(ctx, u.URL); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	quoting := start(t, wire("HTTP/1.1 200 OK\r\nContent-Length: planted-text\r\n\r\n"))
	if err := quoting.Check(t.Context(), quoting.URL); err == nil || strings.Contains(err.Error(), "planted") {
		t.Errorf("got %v", err)
	}
}
