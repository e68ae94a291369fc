package caddymodule

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/identity"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/surroundings"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// announce says in one line what the handler claims, whom it asks, and who the user
// is: what an operator should see at a glance before anybody else does.
func (h *Handler) announce() {
	names := make([]string, len(h.targets))
	for i, t := range h.targets {
		names[i] = t.Name
	}
	limits := make([]string, 0, len(h.RateLimits)+len(h.StreamRateLimits)+len(h.MaxStreams))
	for _, l := range h.RateLimits {
		limits = append(limits, l.String())
	}
	for _, l := range h.StreamRateLimits {
		limits = append(limits, "stream "+l.String())
	}
	for _, l := range h.MaxStreams {
		limits = append(limits, "max_streams "+l.String())
	}
	user := h.User
	if len(user) == 0 {
		user = []string{identity.DefaultUser}
	}
	h.logger.Info("claiming paths", zap.Strings("paths", h.paths()), zap.Strings("chain", names), zap.Strings("user", user),
		zap.Bool("anonymous", h.Anonymous != nil), zap.Strings("limits", limits), zap.Bool("cors", h.CORS != nil))
}

// paths are the paths that the handler claims, each behind its kind.
func (h *Handler) paths() []string {
	all := make([]string, 0, len(h.routes)+len(h.patterns))
	for path, rt := range h.routes {
		all = append(all, string(rt.kind)+" "+path)
	}
	for _, rt := range h.patterns {
		all = append(all, string(rt.kind)+" "+rt.prefix+"*")
	}
	slices.Sort(all)
	return all
}

// warn warns about what validates but cannot be meant.
func (h *Handler) warn(ctx caddy.Context, app *registry.App) {
	here := surroundings.Of(ctx, "chatkit")
	h.warnOfUsers(here)
	h.warnOfPaths(here, app)
	h.warnOfTimes()
	if h.Anonymous != nil && h.limits.PerAddress == nil && h.limits.PerUser == nil {
		h.logger.Warn("visitors without an account are not limited; each can ask for sessions without end; add rate_limit ip")
	}
	for i, t := range h.targets {
		p, ok := t.Provider.(session.HeaderForwarder)
		if !ok || (h.CORS != nil && len(h.CORS.Origins) > 0) {
			continue
		}
		for _, name := range p.ForwardedHeaders() {
			if name == "Cookie" || name == "Authorization" {
				h.logger.Warn("a browser sends this header by itself; without cors origins only pages of this site can use the chat with it",
					zap.String("provider", h.targets[i].Name), zap.String("header", name))
			}
		}
	}
}

// warnOfUsers warns where whoever asks can say who he is.
func (h *Handler) warnOfUsers(here surroundings.Place) {
	for _, text := range h.User {
		for _, found := range identity.Placeholders(text) {
			key := strings.Trim(found, "{}")
			name, isHeader := strings.CutPrefix(key, "http.request.header.")
			switch {
			case isHeader && !here.Sets(name):
				h.logger.Warn("user comes from a header that any client can send, and nothing in front of chatkit sets or removes it; "+
					"use forward_auth with copy_headers, or request_header", zap.String("user", text), zap.String("header", name))
			case strings.HasPrefix(key, "http.request.cookie."), strings.HasPrefix(key, "http.request.uri"):
				h.logger.Warn("user comes from what any client can send; whoever asks can be anybody", zap.String("user", text))
			}
		}
	}
}

// warnOfPaths warns of paths that no request can reach.
func (h *Handler) warnOfPaths(here surroundings.Place, app *registry.App) {
	reached := false
	var taken []string
	for path := range h.routes {
		reached = reached || here.Reaches(path)
		if here.Container() != nil && !app.Claim(here.Container(), path, here.Unconditional()) {
			taken = append(taken, path)
		}
	}
	if slices.Sort(taken); len(taken) > 0 {
		h.logger.Warn("an earlier chatkit block of the site claims these paths too and gets all their requests; "+
			"use one block, or routes of other paths", zap.Strings("paths", taken))
	}
	for _, rt := range h.patterns {
		reached = reached || here.Reaches(rt.prefix+"x")
	}
	if !reached {
		h.logger.Warn("the matcher of chatkit lets none of its paths through; leave it out, or set session and the other paths",
			zap.Strings("paths", h.paths()))
	}
}

// warnOfTimes warns of time limits that cannot be used up.
func (h *Handler) warnOfTimes() {
	deadline := time.Duration(cmp.Or(h.Deadline, defaultDeadline))
	for _, t := range h.targets {
		if t.Timeout > deadline {
			h.logger.Warn("timeout of a provider is longer than the deadline of the whole request, which ends it",
				zap.String("provider", t.Name), zap.Duration("timeout", t.Timeout), zap.Duration("deadline", deadline))
		}
	}
}

// warnOfForwarding warns where a client can choose the address that its limit goes
// by. Caddy does not show what it trusts while it loads a configuration, so this waits
// for the first request that came through a trusted proxy.
func (h *Handler) warnOfForwarding(r *http.Request) {
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	srv, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if trusted && ok && srv.TrustedProxiesStrict == 0 {
		h.forwarding.Do(func() {
			h.logger.Warn("trusted_proxies without trusted_proxies_strict: a client can put any address in front of X-Forwarded-For, " +
				"and limits by ip go by it; add trusted_proxies_strict")
		})
	}
}

var variable = regexp.MustCompile(`\{env\.([^{}\s"\\]+)\}`)

// withUnset adds to an error of a configuration the environment variables in it
// that are not set, so that they need not be found one after the other.
func withUnset(err error, settings []byte) error {
	var unset []string
	for _, found := range variable.FindAllSubmatch(settings, -1) {
		name := string(found[1])
		if os.Getenv(name) == "" && !slices.Contains(unset, name) {
			unset = append(unset, name)
		}
	}
	if slices.Sort(unset); len(unset) < 2 { // the error itself names one
		return err
	}
	return fmt.Errorf("%w (not set: %s)", err, strings.Join(unset, ", "))
}
