package sandbox

import (
	"bytes"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// Recorded is one session request as it arrived.
type Recorded struct {
	// Method of the request: POST.
	Method string
	// Path is decoded, without the query.
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
}

// clone copies everything that the caller could modify.
func (r *Recorded) clone() Recorded {
	c := *r
	c.Header = r.Header.Clone()
	c.Body = bytes.Clone(r.Body)
	return c
}

// recorder records a server's requests and the secrets it returned.
type recorder struct {
	hook atomic.Pointer[func(*Recorded)]

	mu       sync.Mutex
	calls    int
	requests []*Recorded
	issued   []string
}

// request counts and keeps r, then calls the hook.
func (l *recorder) request(r *Recorded) {
	l.mu.Lock()
	l.calls++
	l.requests = remember(l.requests, r)
	l.mu.Unlock()
	if hook := l.hook.Load(); hook != nil {
		(*hook)(r)
	}
}

// secret keeps a secret that is about to be returned.
func (l *recorder) secret(s string) {
	l.mu.Lock()
	l.issued = remember(l.issued, s)
	l.mu.Unlock()
}

// Calls returns the number of session requests that reached the handler,
// including cancel requests and streams, whatever the fault did with them
// afterwards. Refused connections do not count.
func (s *Server) Calls() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.calls
}

// Requests returns copies of the last 1000 session requests, oldest first.
func (s *Server) Requests() []Recorded {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	out := make([]Recorded, len(s.log.requests))
	for i, r := range s.log.requests {
		out[i] = r.clone()
	}
	return out
}

// Issued returns the last 1000 secrets, oldest first, as text and as changed by
// the active fault. Empty secrets are left out. A secret in an answer that was cut
// is included.
func (s *Server) Issued() []string {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.issued)
}

// OnRequest sets a hook that is called with every session request after it is
// recorded and before it is answered; nil removes it. The hook runs on the
// request's goroutine, must not modify the request, and may call any method
// except Close. A fault that it sets applies to later requests only, except that
// Refuse resets this request's connection too.
func (s *Server) OnRequest(hook func(*Recorded)) {
	if hook == nil {
		s.log.hook.Store(nil)
		return
	}
	s.log.hook.Store(&hook)
}

// Clear forgets the calls, requests and secrets so far. It keeps the fault and
// the hook.
func (s *Server) Clear() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.calls, s.log.requests, s.log.issued = 0, nil, nil
}
