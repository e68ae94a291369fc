package registry

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
)

// forcedLocal is what operators have forced as a fleet sees it. Of two commands the
// later one counts, wherever it was given.
type forcedLocal struct{ o *owner }

// commanded notes a command of this instance's operator, and tells the fleet. The
// owner is locked.
func (o *owner) commanded(at time.Time) {
	o.at, o.own = at, true
	m := o.fleet.in()
	if m == nil {
		return
	}
	for _, f := range o.known() {
		m.Tell(f)
	}
}

// known returns the last command, if it was given here.
func (o *owner) known() []fleet.Fact {
	if !o.own {
		return nil
	}
	f := o.override.Forced()
	if f == nil {
		return []fleet.Fact{{Kind: fleet.Released, Age: time.Since(o.at)}}
	}
	return []fleet.Fact{{
		Kind: fleet.Forced, Left: time.Until(f.Until), Age: time.Since(o.at), State: string(f.State), Reason: f.Reason, By: f.By,
	}}
}

// Know implements [fleet.Local].
func (l forcedLocal) Know() []fleet.Fact {
	l.o.mu.Lock()
	defer l.o.mu.Unlock()
	return l.o.known()
}

// Status implements [fleet.Local]. The provider's breaker has all there is to say.
func (forcedLocal) Status() fleet.Status { return fleet.Status{} }

// sameTime is how far apart the same moment may be in two instances.
const sameTime = 2 * time.Second

// Learn implements [fleet.Local].
func (l forcedLocal) Learn(f fleet.Fact) {
	o := l.o
	o.mu.Lock()
	defer o.mu.Unlock()
	at := time.Now().Add(-f.Age)
	if o.at.After(at.Add(sameTime)) {
		return // a later command is known
	}
	now := o.override.Forced()
	if f.Kind == fleet.Released {
		if now == nil {
			return
		}
		o.override.Release()
		o.at, o.own = at, false
		o.forget(context.Background(), newForcedStore(active().ctx), "")
		telemetry.Log().Warn("another instance has released a breaker", zap.String("provider", o.name))
		return
	}
	force, ok := learned(f, at)
	if !ok || now != nil && now.State == force.State && now.Until.Sub(force.Until).Abs() < sameTime {
		return
	}
	o.override.Force(force)
	o.at, o.own = at, false
	telemetry.Log().Warn("another instance has forced a breaker", zap.String("provider", o.name), zap.String("state", f.State),
		zap.Time("until", force.Until), zap.String("reason", f.Reason), zap.String("by", f.By))
}

// learned returns a forced state that was learned. It is held to what an operator of
// this instance may do.
func learned(f fleet.Fact, at time.Time) (breaker.Force, bool) {
	state := breaker.State(f.State)
	if state != breaker.ForcedOpen && state != breaker.ForcedClosed || f.Left <= 0 || f.Left > maxForced || checkReason(f.Reason) != nil {
		return breaker.Force{}, false
	}
	return breaker.Force{State: state, Until: time.Now().Add(f.Left), Reason: f.Reason, By: who(f.By), At: at}, true
}
