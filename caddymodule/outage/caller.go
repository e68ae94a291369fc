package outage

import (
	"net/http"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/internal/outage"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Who is who sends a request.
type Who struct {
	turn.Asker

	Caller  session.Caller
	Visitor string // the id in a cookie of ours, "" for none
	Header  http.Header

	RequestID string
	Replace   func(string) string
}

// caller returns who asks, as stand-ins may know it.
func (p *Policy) caller(w *Who) *outage.Caller {
	name, lists := owner(w)
	known := w.Caller.User != "" || p.shared.known.Is(w.Scope, knownAs(w))
	if lists == ifKnown {
		lists = never
		if known {
			lists = always
		}
	}
	return &outage.Caller{
		Owner: threads.Owner{Scope: w.Scope, Caller: p.shared.known.Hash("owner", w.Scope, name)},
		User:  w.Caller.User, Known: known, Lists: lists == always,
		Safety:    p.shared.known.Hash("safety", w.Scope, name),
		RequestID: w.RequestID, Replace: w.Replace,
	}
}

// knownAs is how a backend may know who asks: as a user, by a credential, or by the
// address.
func knownAs(w *Who) string {
	if w.Credential != "" {
		return "credential " + w.Credential
	}
	return w.Asker.Caller
}

// listing says whether a list may show what is somebody's.
type listing int

const (
	always  listing = iota
	ifKnown         // where a backend has accepted the credential
	never           // more than one person may look like this
)

// owner returns whose the threads of a request are: of a user, of a visitor whom we
// know by our cookie, or of who shows the same credential. Cookies may be the same for
// strangers, so the address counts too. Where there is nothing of that, a thread is
// found only by its id, which nobody can guess.
func owner(w *Who) (name string, lists listing) {
	h := w.Header
	switch {
	case w.Caller.User != "":
		return "user " + w.Caller.User, always
	case w.Visitor != "":
		return "visitor " + w.Visitor, always
	case h.Get("Authorization") != "":
		return "authorization " + strings.Join(h["Authorization"], "\n"), ifKnown
	case h.Get("Cookie") != "":
		return "cookie " + w.Caller.Address + "\n" + strings.Join(h["Cookie"], "\n"), ifKnown
	}
	return "address " + w.Caller.Address, never
}
