package registry

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
)

// place is where something stands in a fleet.
type place struct {
	mu      sync.Mutex
	fleet   *fleet.Fleet
	subject string
	member  *fleet.Member
}

// move joins a fleet, nil for none, and leaves the one before. It reports whether
// anything has changed.
func (p *place) move(f *fleet.Fleet, subject string, local fleet.Local, kinds ...fleet.Kind) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fleet == f && p.subject == subject {
		return false
	}
	if p.member != nil {
		p.member.Leave()
	}
	p.fleet, p.subject, p.member = f, subject, nil
	if f != nil {
		p.member = f.Join(subject, local, kinds...)
	}
	return true
}

// in returns the member, nil where it is in no fleet.
func (p *place) in() *fleet.Member {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.member
}

// share puts an owner and its providers where their configurations say. The pool is
// locked. Of two configurations the newer one counts.
func (o *owner) share() {
	if len(o.leases) == 0 {
		return
	}
	for _, l := range o.leases {
		f := l.link.Fleet()
		subject := ""
		if f != nil {
			subject = f.Name("provider", append([]string{l.provider.Name, l.identity}, l.sites.Hosts()...)...)
		}
		l.provider.share(f, subject)
	}
	last := o.leases[len(o.leases)-1]
	f, subject := last.link.Fleet(), ""
	if f != nil {
		subject = f.Name("forced", append([]string{o.name}, o.allSites().Hosts()...)...)
	}
	o.fleet.move(f, subject, forcedLocal{o}, fleet.Forced)
}

// share joins a fleet with the provider's breaker.
func (p *Provider) share(f *fleet.Fleet, subject string) {
	if !p.fleet.move(f, subject, breakerLocal{p}, fleet.Opened, fleet.Cooled) {
		return
	}
	if f == nil {
		p.Breaker.Join(nil)
		return
	}
	p.Breaker.Join(breakerFleet{p.fleet.in()})
}

// unshare leaves it.
func (p *Provider) unshare() { p.share(nil, "") }

// breakerFleet is a fleet as a breaker sees it.
type breakerFleet struct{ *fleet.Member }

// Tell implements [breaker.Fleet].
func (b breakerFleet) Tell(f breaker.Fact) { b.Member.Tell(told(f)) }

func told(f breaker.Fact) fleet.Fact {
	return fleet.Fact{Kind: fleet.Kind(f.Kind), Left: f.Left, Nominal: f.Nominal, Reason: f.Reason}
}

// breakerLocal is a provider's breaker as a fleet sees it.
type breakerLocal struct{ p *Provider }

// Learn implements [fleet.Local].
func (b breakerLocal) Learn(f fleet.Fact) {
	telemetry.Log().Debug("another instance has told of a provider", zap.String("provider", b.p.Name),
		zap.String("kind", string(f.Kind)), zap.Duration("for", f.Left), zap.String("reason", f.Reason))
	b.p.Breaker.Adopt(breaker.Fact{Kind: breaker.FactKind(f.Kind), Left: f.Left, Nominal: f.Nominal, Reason: f.Reason})
}

// Know implements [fleet.Local].
func (b breakerLocal) Know() (facts []fleet.Fact) {
	for _, f := range b.p.Breaker.Found() {
		facts = append(facts, told(f))
	}
	return facts
}

// Status implements [fleet.Local].
func (b breakerLocal) Status() fleet.Status {
	s := b.p.Breaker.Snapshot()
	return fleet.Status{State: string(s.State), For: time.Since(s.Since), Cooled: !s.CoolUntil.IsZero()}
}

// Interface guards.
var (
	_ breaker.Fleet = breakerFleet{}
	_ fleet.Local   = breakerLocal{}
	_ fleet.Local   = forcedLocal{}
)
