package relay_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// soon waits for something that is due at once. The bound is what a busy
// machine may make of it.
func soon(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatal(what + ": not within 10 s")
	}
}

// A backend sees at once that the client has gone.
func TestBackendSeesTheClientGo(t *testing.T) {
	t.Run("before the header", func(t *testing.T) {
		asked, gone := make(chan struct{}), make(chan struct{})
		backend := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			close(asked)
			<-r.Context().Done()
			close(gone)
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { <-asked; cancel() }()
		r := newRig(t)
		a := r.add("a", backend.send)
		if f := r.failed(post(ctx, nil)); f.Steps[0].Verdict.Reason != session.Canceled {
			t.Errorf("failed with %v", reasons(f.Trail))
		}
		soon(t, "the backend sees the client go", gone)
		a.asked(excluded)
	})
	ends := map[string]func(a *relay.Response, cancel func()){
		"within the answer":   func(_ *relay.Response, cancel func()) { cancel() },
		"idle for the answer": func(a *relay.Response, _ func()) { _, _ = io.Copy(io.Discard, a.Body) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{})
			backend := serve(t, chunked(200, gone))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := newRig(t)
			if name == "idle for the answer" {
				r.Idle = 50 * time.Millisecond
			}
			a := r.add("a", backend.send)
			got := r.carried(post(ctx, nil))
			end(got, cancel)
			soon(t, "the backend sees the client go", gone)
			a.asked(okay)
			if _, err := io.Copy(io.Discard, got.Body); err == nil || errors.Is(err, relay.ErrIdle) != got.Idle() {
				t.Errorf("ended with %v, idle: %t", err, got.Idle())
			}
			if want := name == "idle for the answer"; got.Idle() != want {
				t.Errorf("idle: %t", got.Idle())
			}
		})
	}
}

// A client that leaves within a large upload is no failure of the backend, which
// sees it go.
func TestBackendSeesAnUploadBreakOff(t *testing.T) {
	errLeft := errors.New("connection cut by the client")
	for _, length := range []int64{1 << 20, -1} {
		gone := make(chan struct{})
		backend := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				t.Error("the body came to an end")
			}
			close(gone)
			panic(http.ErrAbortHandler)
		})
		r := newRig(t)
		a := r.add("a", backend.send)
		req := post(t.Context(), io.NopCloser(&source{left: 100 << 10, err: errLeft}))
		req.ContentLength = length
		if _, err := r.carry(req); !errors.Is(err, errLeft) {
			t.Errorf("got %v", err)
		}
		soon(t, "the backend sees the upload break off", gone)
		a.asked(excluded)
	}
}
