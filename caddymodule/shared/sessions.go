package shared

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
	"github.com/caddy-chatkit/caddy-chatkit/internal/issuer"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// index remembers who issued which session, for the whole process: sessions live on
// when the configuration is replaced.
var index = sync.OnceValue(func() *issuer.Index { return issuer.New(issuer.Size, issuer.Life) })

// heardCanceled marks a session that another instance has cancelled.
func heardCanceled(name string) { index().CancelName(name) }

// Sessions is what a site knows of sessions, by itself and by its fleet.
type Sessions struct {
	issuer.Site

	fleet *fleet.Fleet // nil for none
}

// NewSessions returns the sessions of a site. local is its key in this process,
// hosts are what it is known by to all instances.
func NewSessions(l *Link, local string, hosts []string) Sessions {
	f := l.Fleet()
	if f == nil {
		return Sessions{index().Site(local), nil}
	}
	return Sessions{index().SharedSite(local, f.Hash("sessions"), f.Hash("site", hosts...)), f}
}

// Put remembers that a provider has issued a session to a caller, and tells the
// fleet.
func (s Sessions) Put(made *session.Session, provider, caller string) {
	s.Site.Put(made, provider, caller)
	if s.fleet == nil {
		return
	}
	name := s.Name(made.Secret)
	if r, text, ok := s.record(name); ok {
		s.fleet.Keep(fleet.Session, name, text, r.Life(), fleet.Always)
	}
}

// Fetch makes sure that what the fleet knows of a session is known here.
func (s Sessions) Fetch(ctx context.Context, secret session.Secret) {
	if s.fleet != nil && secret != "" && !s.Knows(secret) {
		s.fetch(ctx, s.Name(secret))
	}
}

func (s Sessions) fetch(ctx context.Context, name string) {
	text, result := s.fleet.Get(ctx, fleet.Session, name)
	if result != fleet.Hit {
		return
	}
	var r issuer.Record
	if json.Unmarshal(text, &r) == nil { // else it is as good as not there
		s.Learn(name, r)
	}
}

// Cancel marks the session with an id as cancelled, and tells the fleet.
func (s Sessions) Cancel(ctx context.Context, id string) (provider string, until time.Time, ok bool) {
	provider, until, ok = s.Site.Cancel(id)
	name, good := s.NameOf(id)
	if !ok && s.fleet != nil && good {
		s.fetch(ctx, name)
		provider, until, ok = s.Site.Cancel(id)
	}
	if ok && s.fleet != nil {
		if r, text, known := s.record(name); known {
			s.fleet.Cancel(name, text, r.Life())
		}
	}
	return provider, until, ok
}

// record returns what is told of a session.
func (s Sessions) record(name string) (r issuer.Record, text []byte, ok bool) {
	if r, ok = s.Of(name); !ok {
		return r, nil, false
	}
	text, err := json.Marshal(r)
	return r, text, err == nil && r.Life() > 0
}
