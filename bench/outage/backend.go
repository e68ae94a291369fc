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
	probes   atomic.Int64 // of these, those that came when it had hung for a while
	checks   atomic.Int64 // of its health
	since    atomic.Int64 // when it began to hang
}

// untilOpen is how long it takes until a breaker has opened: a time limit, and a
// little more.
const untilOpen = 4 * time.Second

// hang makes the backend hang.
func (b *backend) hang() {
	b.since.Store(time.Now().UnixNano())
	b.hangs.Store(true)
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
			if time.Since(time.Unix(0, b.since.Load())) > untilOpen {
				b.probes.Add(1)
			}
		}
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprint(w, `{"session_id":"s_1"}`)
}
