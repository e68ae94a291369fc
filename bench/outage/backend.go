package main

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// backend makes sessions, or takes requests and does not answer.
type backend struct {
	addr     string
	hangs    atomic.Bool
	sessions atomic.Int64 // that were asked for
	waiting  atomic.Int64 // that were asked for while it hung
	checks   atomic.Int64 // of its health
}

// startBackend starts one on this machine, for as long as the program runs.
func startBackend() (*backend, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &backend{addr: ln.Addr().String()}
	server := &http.Server{Handler: b, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(ln) }()
	return b, nil
}

// ServeHTTP implements [http.Handler].
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		b.checks.Add(1)
	} else {
		b.sessions.Add(1)
	}
	if b.hangs.Load() {
		if r.URL.Path != "/healthz" {
			b.waiting.Add(1)
		}
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprint(w, `{"session_id":"s_1"}`)
}
