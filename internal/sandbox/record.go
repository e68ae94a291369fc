package sandbox

import (
	"bytes"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Recorded is one session request as it arrived.
type Recorded struct {
	// Method of the request: POST.
	Method string
	// Path is decoded, with no query.
	Path string
	// Escaped is the path as it was sent.
	Escaped string
	// Query is the raw query, without "?".
	Query string
	// Host is the Host header.
	Host string
	// Header as received, without Host.
	Header http.Header
	// Body is the whole body, at most 1 MiB; larger ones are refused with 413.
	Body []byte
	// At is when the body had been read.
	At time.Time
}

// clone copies what the caller could change under the server's hands.
func (r *Recorded) clone() Recorded {
	c := *r
	c.Header = r.Header.Clone()
	c.Body = bytes.Clone(r.Body)
	return c
}

// recorder remembers what a server was asked and what it gave.
type recorder struct {
	hook atomic.Pointer[func(*Recorded)]

	mu       sync.Mutex
	calls    int
	requests ring[*Recorded]
	issued   ring[string]
}

// request counts and keeps r, then tells the hook.
func (l *recorder) request(r *Recorded) {
	l.mu.Lock()
	l.calls++
	l.requests.add(r)
	l.mu.Unlock()
	if hook := l.hook.Load(); hook != nil {
		(*hook)(r)
	}
}

// secret keeps a secret that is about to be handed out.
func (l *recorder) secret(s string) {
	l.mu.Lock()
	l.issued.add(s)
	l.mu.Unlock()
}

// Calls counts the session requests that reached the handler, cancel requests
// and streams included, whatever the fault did with them afterwards. Refused connections
// and /health do not count.
func (s *Server) Calls() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.calls
}

// Requests returns copies of the last 1000 session requests, oldest first.
func (s *Server) Requests() []Recorded {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	out := make([]Recorded, 0, len(s.log.requests.values))
	s.log.requests.each(func(r **Recorded) { out = append(out, (*r).clone()) })
	return out
}

// Issued returns the last 1000 secrets handed out, oldest first, as text and as
// the fault in force spoiled them; a numeric one in digits. Empty ones are left
// out. One that was cut on its way counts as handed out.
func (s *Server) Issued() []string {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	out := make([]string, 0, len(s.log.issued.values))
	s.log.issued.each(func(secret *string) { out = append(out, *secret) })
	return out
}

// OnRequest sets a hook that sees every session request after it was recorded
// and before it is answered; nil clears it. It runs on the request's goroutine,
// must not change the request, and may call any method but Close. A fault it
// sets is for the requests that come after; this one keeps the fault it met,
// unless Refuse resets its connection.
func (s *Server) OnRequest(hook func(*Recorded)) {
	if hook == nil {
		s.log.hook.Store(nil)
		return
	}
	s.log.hook.Store(&hook)
}

// Clear forgets the calls, requests and secrets so far. The fault and the hook
// stay.
func (s *Server) Clear() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.calls, s.log.requests, s.log.issued = 0, ring[*Recorded]{}, ring[string]{}
}
