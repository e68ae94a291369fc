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

// epoch is what the times of the events are counted from: the backend and the
// clients are one process and share its monotonic clock.
var epoch = time.Now()

// The gate of the backend: streams that come while it is closed wait behind it.
var (
	gate atomic.Pointer[chan struct{}]
	held atomic.Int64
)

// hold closes the gate, and returns how to open it.
func hold() (release func()) {
	closed := make(chan struct{})
	held.Store(0)
	gate.Store(&closed)
	return sync.OnceFunc(func() { close(closed) })
}

// awaitHeld waits until that many streams wait.
func awaitHeld(ctx context.Context, n int) error {
	for deadline := time.Now().Add(time.Minute); held.Load() < int64(n); time.Sleep(10 * time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d of %d streams have come", held.Load(), n)
		}
	}
	return nil
}

// startBackend serves event streams: ?events=N&every=DURATION. The data of an
// event is the time it was sent, padded to the size of a small delta.
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
	if g := gate.Load(); g != nil {
		held.Add(1)
		select {
		case <-*g:
		case <-r.Context().Done():
			return
		}
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
