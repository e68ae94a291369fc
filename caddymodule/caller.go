package caddymodule

import (
	"hash/maphash"
	"net/http"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// callerSeed makes the hashes of callers the process's own.
var callerSeed = maphash.MakeSeed()

// callerOf returns who asks: a user's account, "" where there is none, and the
// network of the client's address. Both are hashed: a breaker remembers callers,
// and has no use for their names.
func callerOf(user, network string) session.Caller {
	return session.Caller{User: callerHash(user), Address: callerHash(network)}
}

func callerHash(s string) string {
	if s == "" {
		return ""
	}
	return strconv.FormatUint(maphash.String(callerSeed, s), 36)
}

// clientNetwork returns what counts as the client's address.
func clientNetwork(r *http.Request) string {
	client, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return network(client)
}

// account returns the user that the site's own sources name, "" for none.
func (u *users) account(repl *caddy.Replacer) string {
	for _, s := range u.sources {
		if user := strings.TrimSpace(s.value(repl)); user != "" {
			return user
		}
	}
	return ""
}
