package caddymodule

import (
	"slices"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/drill"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/guest"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/identity"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/origin"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/shared"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("chatkit", parseCaddyfile)
	httpcaddyfile.RegisterDirectiveOrder("chatkit", httpcaddyfile.After, "encode")
}

func parseCaddyfile(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(Handler)
	if err := handler.UnmarshalCaddyfile(h.Dispenser); err != nil {
		return nil, err
	}
	return handler, nil
}

// UnmarshalCaddyfile sets up the handler from Caddyfile tokens. Syntax:
//
//	chatkit [<matcher>] {
//		# providers, in order of preference
//		provider <module> [<arguments>...] {
//			...
//		}
//
//		# who asks
//		user      <placeholder>...
//		anonymous [<cookie>] {
//			key <secret>
//		}
//
//		# paths
//		session <path> [<provider>...]
//		refresh <path> [<provider>...]
//		session off
//		refresh off
//
//		# what comes after a session, carried to a backend
//		stream      <path> [<upstream_path>]
//		message     <path> [<upstream_path>]
//		websocket   <path> [<upstream_path>]
//		chatkit     <path> [<upstream_path>] {
//			first_token   <duration>
//			on_disconnect cancel|finish [<max>]
//			attach        on|off
//			turns         <n> <duration>
//			parallel      <n>
//			thread_owner  off|log|enforce
//		}
//		failover    safe|any|off
//		buffer       <size>
//		buffer_total <size>
//		first_byte  <duration>
//		stream_idle <duration>
//		drain       <duration>
//
//		# OpenAI's sessions API, for apps that use an SDK
//		openai_api <path> [<provider>...] {
//			key <secret>
//		}
//
//		# limits
//		deadline    <duration>
//		rate_limit  [stream] user|ip <n> <duration>
//		max_streams user|ip <n>
//		models      default|strict
//		drill       <token>
//
//		# other instances
//		shared <redis-url> {
//			key     <secret>
//			prefix  <prefix>
//			timeout <duration>
//		}
//
//		# browsers
//		cors {
//			origins <origin>...
//			headers <header>...
//			expose  <header>...
//			max_age <duration>
//		}
//	}
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive itself
	if err := block.NoArgs(d, "chatkit"); err != nil {
		return err
	}
	here := d.Errf("chatkit needs at least one provider (such as provider backend https://backend.example.com)")
	refs := &providerRefs{}
	if err := h.options(refs).Parse(d, "chatkit", nil); err != nil {
		return err
	}
	if len(h.Providers) == 0 {
		return here
	}
	return refs.check(h.Providers)
}

// options are the lines of the chatkit block.
func (h *Handler) options(refs *providerRefs) block.Options {
	return block.Options{
		"provider":    {Parse: h.parseProvider, Many: true},
		"user":        block.Texts(&h.User).Then(func() error { return identity.CheckUsers(h.User) }),
		"anonymous":   {Parse: h.parseAnonymous},
		"deadline":    block.Duration(&h.Deadline),
		"rate_limit":  {Parse: h.parseRateLimit, Many: true},
		"max_streams": {Parse: h.parseMaxStreams, Many: true},
		"models":      block.Text(&h.Models).Then(h.checkModelsWord),
		"drill":       block.Text(&h.Drill).Then(func() error { return drill.Check(h.Drill) }),
		"shared":      {Parse: h.parseShared},

		"stream":       {Parse: func(d *caddyfile.Dispenser) error { return h.parseCarried(d, StreamRoute) }, Many: true},
		"message":      {Parse: func(d *caddyfile.Dispenser) error { return h.parseCarried(d, MessageRoute) }, Many: true},
		"websocket":    {Parse: func(d *caddyfile.Dispenser) error { return h.parseCarried(d, WebSocketRoute) }, Many: true},
		"chatkit":      {Parse: h.parseChatKit, Many: true},
		"failover":     block.Text(&h.Failover).Then(h.checkStreams),
		"buffer":       block.Size(&h.Buffer, "1GiB"),
		"buffer_total": block.Size(&h.BufferTotal, "1TiB"),
		"first_byte":   block.Duration(&h.FirstByte),
		"stream_idle":  block.Duration(&h.StreamIdle),
		"drain":        block.Duration(&h.Drain),
		"session":      {Parse: func(d *caddyfile.Dispenser) error { return h.parseRoute(d, SessionRoute, refs) }, Many: true},
		"refresh":      {Parse: func(d *caddyfile.Dispenser) error { return h.parseRoute(d, RefreshRoute, refs) }, Many: true},
		"openai_api":   {Parse: func(d *caddyfile.Dispenser) error { return h.parseOpenAI(d, refs) }},
		"cors":         {Parse: h.parseCORS},
	}
}

func (h *Handler) parseProvider(d *caddyfile.Dispenser) error {
	c := new(guest.ProviderConfig)
	at := *d
	if err := c.UnmarshalCaddyfile(d); err != nil {
		return err
	}
	for _, other := range h.Providers {
		if other.Name == c.Name {
			return at.Errf("provider name %q is given twice; set name in one of them", c.Name)
		}
	}
	h.Providers = append(h.Providers, c)
	return nil
}

func (h *Handler) parseRateLimit(d *caddyfile.Dispenser) error {
	c, carried, err := limit.ParseRateLimit(d)
	if err != nil {
		return err
	}
	to := &h.RateLimits
	if carried {
		to = &h.StreamRateLimits
	}
	*to = append(*to, c)
	return block.Located(d, limit.Check(*to))
}

func (h *Handler) parseMaxStreams(d *caddyfile.Dispenser) error {
	var c limit.MaxStreamsConfig
	if err := c.UnmarshalCaddyfile(d); err != nil {
		return err
	}
	h.MaxStreams = append(h.MaxStreams, c)
	return block.Located(d, limit.CheckMaxStreams(h.MaxStreams))
}

func (h *Handler) parseAnonymous(d *caddyfile.Dispenser) error {
	h.Anonymous = new(identity.AnonymousConfig)
	return h.Anonymous.UnmarshalCaddyfile(d)
}

func (h *Handler) parseShared(d *caddyfile.Dispenser) error {
	h.Shared = new(shared.FleetConfig)
	return h.Shared.UnmarshalCaddyfile(d)
}

func (h *Handler) parseCORS(d *caddyfile.Dispenser) error {
	h.CORS = new(origin.CORSConfig)
	return h.CORS.UnmarshalCaddyfile(d)
}

// providerRefs are the names of providers that routes mention. A route may
// stand before the provider it names, so they are checked at the end; each has
// its error ready, with the line it stands on.
type providerRefs struct {
	names []string
	errs  []func(known []string) error
}

func (p *providerRefs) add(d *caddyfile.Dispenser, r RouteConfig, name string) {
	p.names = append(p.names, name)
	at := *d
	p.errs = append(p.errs, func(known []string) error {
		return at.Errf("%s %s: unknown provider %q%s", r.Kind, r.Path, name, block.DidYouMean(name, known))
	})
}

func (p *providerRefs) check(providers []*guest.ProviderConfig) error {
	known := make([]string, len(providers))
	for i, c := range providers {
		known[i] = c.Name
	}
	for i, name := range p.names {
		if !slices.Contains(known, name) {
			return p.errs[i](known)
		}
	}
	return nil
}

// Interface guards.
var _ caddyfile.Unmarshaler = (*Handler)(nil)
