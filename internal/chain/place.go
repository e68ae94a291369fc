package chain

import (
	"sync/atomic"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Places bounds how many attempts at a provider are under way at once.
type Places interface {
	// Room reports whether there is a place for who.
	Room(who session.Caller) bool

	// Take takes a place, if there is one. Enter takes one in any case. Leave gives
	// one back.
	Take(who session.Caller) bool
	Enter(who session.Caller)
	Leave(who session.Caller)
}

// place is the place of one attempt. The zero value is that of a provider without a
// bound.
type place struct {
	in    Places
	who   session.Caller
	state int32 //nolint:modernize // tests copy attempts, which an atomic.Int32 forbids
}

// The states of a place.
const (
	placeFree int32 = iota // not taken yet
	placeHeld
	placeOver
)

// take takes the place, or where the body is yet to come only asks whether there is
// room. It reports whether the attempt may go on.
func (p *place) take(in Places, a *Attempt) bool {
	switch {
	case in == nil:
		return true
	case a.Uploads:
		p.in, p.who = in, a.Caller
		return in.Room(a.Caller)
	case !in.Take(a.Caller):
		return false
	}
	p.in, p.who = in, a.Caller
	atomic.StoreInt32(&p.state, placeHeld)
	return true
}

// enter takes a place that waited for a body, unless the attempt is over.
func (p *place) enter() {
	if p.in != nil && atomic.CompareAndSwapInt32(&p.state, placeFree, placeHeld) {
		p.in.Enter(p.who)
	}
}

// leave gives the place back. A transport may still read the body after that.
func (p *place) leave() {
	if atomic.SwapInt32(&p.state, placeOver) == placeHeld {
		p.in.Leave(p.who)
	}
}

// Uploaded says that the client's body is there. It may be called from any goroutine,
// at any time after Call has begun.
func (a *Attempt) Uploaded() { a.place.enter() }
