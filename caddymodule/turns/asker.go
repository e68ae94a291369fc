package turns

import (
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// AskerOf returns who sends a request. Who shows a credential is told apart by it,
// too: two people may have one address.
func AskerOf(r *http.Request, scope string, caller session.Caller) turn.Asker {
	a := turn.Asker{
		Scope:  scope,
		Caller: "address " + caller.Address,
		Frame:  r.Header.Get("Chatkit-Frame-Instance-Id"),
	}
	if caller.User != "" {
		a.Caller = "user " + caller.User
	}
	if shown := credentials(r.Header); shown != "" {
		a.Credential = a.Caller + "\x00" + shown
		if caller.User == "" {
			a.Credential = shown
		}
	}
	return a
}

// credentials are the headers by which a backend may know somebody, "" for none.
func credentials(h http.Header) (shown string) {
	for _, name := range []string{"Authorization", "Cookie"} {
		for _, value := range h[name] {
			shown += name + ": " + value + "\n"
		}
	}
	return shown
}
