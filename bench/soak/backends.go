package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/net/websocket"
)

// faults are what a backend does to every request while it has one. The empty one
// is none.
var faults = []string{"500", "hang", "reset", "slow", "cut", "garbage", "429", "html", "400"}

// backend is a custom backend: sessions, streams, WebSockets and turns.
type backend struct {
	addr  string
	fault atomic.Pointer[string]
}

// backends are the two custom backends, and the OpenAI API, which never fails: so
// somebody can always serve a session.
type backends struct{ a, b, openai *backend }

func newBackends() (*backends, error) {
	var all [3]*backend
	for i := range all {
		b := &backend{}
		b.set("")
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		b.addr = ln.Addr().String()
		srv := &http.Server{Handler: b, ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = srv.Serve(ln) }()
		all[i] = b
	}
	return &backends{all[0], all[1], all[2]}, nil
}

func (b *backend) set(fault string) { b.fault.Store(&fault) }

// ServeHTTP implements [http.Handler].
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
	}
	if b.misbehave(w, r, *b.fault.Load()) {
		return
	}
	switch {
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case r.Header.Get("Upgrade") != "":
		websocket.Server{Handler: echo}.ServeHTTP(w, r)
	case r.URL.Path == "/chatkit":
		frames(r.Context(), w, turn, nil)
	case r.URL.Path == "/api/chat/stream":
		frames(r.Context(), w, stream, nil)
	default:
		secret := fmt.Sprintf("s-%d", time.Now().UnixNano())
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id":%q,"object":"chatkit.session","status":"active","session_id":%q,"client_secret":"ek_%s","expires_at":%d}`,
			"cksess_"+secret, secret, secret, time.Now().Add(time.Hour).Unix())
	}
}

// misbehave does what a fault does, and reports whether that was all.
func (*backend) misbehave(w http.ResponseWriter, r *http.Request, fault string) bool {
	switch fault {
	case "":
		return false
	case "500":
		http.Error(w, "broken", http.StatusInternalServerError)
	case "429":
		http.Error(w, "slowly", http.StatusTooManyRequests)
	case "400":
		http.Error(w, "not you", http.StatusBadRequest)
	case "html":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>Sign in</html>")
	case "hang":
		<-r.Context().Done()
	case "slow":
		pause(r.Context(), 300*time.Millisecond)
		return false
	case "cut":
		frames(r.Context(), w, stream[:2], http.ErrAbortHandler)
	case "garbage":
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = io.WriteString(conn, "\x16\x03\x01 no HTTP at all\r\n\r\n")
			_ = conn.Close()
		}
	default: // reset
		panic(http.ErrAbortHandler)
	}
	return true
}

// stream and turn are what a backend answers, event by event.
var (
	stream = []string{`{"delta":"one"}`, `{"delta":"two"}`, `{"delta":"three"}`, `{"delta":"four"}`, `{"done":true}`}
	turn   = []string{
		`{"type":"thread.created","thread":{"id":"thr_1","status":{"type":"active"},"metadata":{},"items":{"data":[],"has_more":false}}}`,
		`{"type":"thread.item.done","item":{"id":"msg_u","thread_id":"thr_1","type":"user_message","content":[]}}`,
		`{"type":"thread.item.added","item":{"id":"msg_a","thread_id":"thr_1","type":"assistant_message","content":[]}}`,
		`{"type":"thread.item.updated","item_id":"msg_a","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"Hello"}}`,
		`{"type":"thread.item.done","item":{"id":"msg_a","thread_id":"thr_1","type":"assistant_message","content":[]}}`,
	}
)

// frames sends events, and panics with end unless it is nil.
func frames(ctx context.Context, w http.ResponseWriter, events []string, end error) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, e := range events {
		_, _ = fmt.Fprintf(w, "data: %s\n\n", e)
		_ = http.NewResponseController(w).Flush()
		if !pause(ctx, 50*time.Millisecond) {
			return
		}
	}
	if end != nil {
		panic(end)
	}
}

func echo(ws *websocket.Conn) { _, _ = io.Copy(ws, ws) }

// pause waits, and reports whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
