package caddymodule

import (
	"sync"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// liveHandlers are the handlers of the configurations that are loaded.
var liveHandlers handlerSet

// handlerSet is a set of handlers, safe for concurrent use.
type handlerSet struct {
	mu  sync.Mutex
	set map[*Handler]struct{}
}

func (s *handlerSet) add(h *Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set == nil {
		s.set = make(map[*Handler]struct{})
	}
	s.set[h] = struct{}{}
}

func (s *handlerSet) remove(h *Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.set, h)
}

func (s *handlerSet) each(f func(*Handler)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h := range s.set {
		f(h)
	}
}

// create makes every series a handler can ever count in, so that rates and
// alerts work before the first event.
func (m *instruments) create(h *Handler) {
	for _, l := range h.links {
		m.createProvider(l.Name)
	}
	for _, scope := range []string{limitUser, limitIP} {
		m.rateLimited.WithLabelValues(scope)
	}
	for _, rt := range h.routes {
		m.createRoute(rt)
	}
	for _, rt := range h.socket {
		m.createRoute(rt)
	}
}

func (m *instruments) createProvider(name string) {
	m.attempts.WithLabelValues(name, resultOK)
	for _, r := range session.Reasons() {
		m.attempts.WithLabelValues(name, string(r))
	}
	m.attemptDuration.WithLabelValues(name)
	m.retries.WithLabelValues(name)
	for _, c := range breaker.Changes() {
		m.transitions.WithLabelValues(name, string(c.From), string(c.To))
	}
}

func (m *instruments) createRoute(rt *route) {
	if rt.relay != nil {
		m.createStreams(rt.kind)
		return
	}
	kind := string(rt.kind)
	for _, o := range []outcome{outcomeRefused, outcomeFailed, outcomeCanceled} {
		m.sessions.WithLabelValues(kind, nobody, string(o))
	}
	m.sessionDuration.WithLabelValues(kind, nobody)
	// Any provider can be the first: a refresh asks the issuer before others.
	for _, l := range rt.chain.Links {
		for _, o := range []outcome{outcomeOK, outcomeFallback, outcomeRejected} {
			m.sessions.WithLabelValues(kind, l.Name, string(o))
		}
		m.sessionDuration.WithLabelValues(kind, l.Name)
		for _, from := range rt.chain.Links {
			m.createFallbacks(from.Name, l.Name)
		}
	}
}

func (m *instruments) createFallbacks(from, to string) {
	if from == to {
		return
	}
	for _, r := range session.Reasons() {
		if r.MovesOn() {
			m.fallbacks.WithLabelValues(from, to, string(r))
		}
	}
}

func (m *instruments) createStreams(kind RouteKind) {
	for _, o := range streamOutcomes() {
		m.streams.WithLabelValues(string(kind), string(o))
	}
	m.streamsInFlight.WithLabelValues(string(kind))
	m.firstByte.WithLabelValues(string(kind))
}
