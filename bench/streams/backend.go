package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// epoch is the zero of the event times. The backend and the clients run in one
// process and share its monotonic clock.
var epoch = time.Now()

// barrier, while not closed, makes the backend hold new streams; held counts them.
var (
	barrier atomic.Pointer[chan struct{}]
	held    atomic.Int64
)

// hold makes the backend hold new streams until release is called.
func hold() (release func()) {
	released := make(chan struct{})
	held.Store(0)
	barrier.Store(&released)
	return sync.OnceFunc(func() { close(released) })
}

// awaitHeld waits until the backend holds n streams.
func awaitHeld(ctx context.Context, n int) error {
	for deadline := time.Now().Add(time.Minute); held.Load() < int64(n); time.Sleep(10 * time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d of %d streams have arrived", held.Load(), n)
		}
	}
	return nil
}

// pass waits while the barrier holds. It reports whether the client is still there.
func pass(ctx context.Context) bool {
	b := barrier.Load()
	if b == nil {
		return true
	}
	held.Add(1)
	select {
	case <-*b:
		return true
	case <-ctx.Done():
		return false
	}
}

// startBackend serves event streams: ?events=N&every=DURATION. The data of an
// event is its send time, padded to the size of a small delta. With ?turn=N it
// serves turns.
func startBackend() (addr string, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: http.HandlerFunc(serveEvents), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(ln) }()
	return ln.Addr().String(), nil
}

func serveEvents(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("turn") {
		serveTurn(w, r)
		return
	}
	n, err := strconv.Atoi(r.URL.Query().Get("events"))
	if err != nil {
		http.Error(w, "events: "+err.Error(), http.StatusBadRequest)
		return
	}
	every, err := time.ParseDuration(r.URL.Query().Get("every"))
	if err != nil {
		http.Error(w, "every: "+err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	_ = rc.Flush()
	if !pass(r.Context()) {
		return
	}
	for range n {
		select {
		case <-time.After(every):
		case <-r.Context().Done():
			return
		}
		_, _ = fmt.Fprintf(w, "data: %d %0100d\n\n", time.Since(epoch), 0)
		_ = rc.Flush()
	}
}
