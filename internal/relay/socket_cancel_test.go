package relay_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
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
