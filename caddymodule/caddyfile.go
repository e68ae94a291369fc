package caddymodule

import (
	"slices"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
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
//		deadline   <duration>
//		rate_limit user|ip <n> <duration>
//		models     default|strict
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
	here := d.Errf("chatkit needs at least one provider")
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
		"provider":   {Parse: h.parseProvider, Many: true},
		"user":       block.Texts(&h.User).Then(h.checkUsers),
		"anonymous":  {Parse: h.parseAnonymous},
		"deadline":   block.Duration(&h.Deadline),
		"rate_limit": {Parse: h.parseRateLimit, Many: true},
		"models":     block.Text(&h.Models).Then(h.checkModelsWord),

		"stream":       {Parse: func(d *caddyfile.Dispenser) error { return h.parseCarried(d, StreamRoute) }, Many: true},
		"message":      {Parse: func(d *caddyfile.Dispenser) error { return h.parseCarried(d, MessageRoute) }, Many: true},
		"websocket":    {Parse: func(d *caddyfile.Dispenser) error { return h.parseCarried(d, WebSocketRoute) }, Many: true},
		"chatkit":      {Parse: h.parseChatKit, Many: true},
		"failover":     block.Text(&h.Failover).Then(h.checkStreams),
		"buffer":       {Parse: func(d *caddyfile.Dispenser) error { return parseSize(d, "buffer", "1GiB", &h.Buffer) }},
		"buffer_total": {Parse: func(d *caddyfile.Dispenser) error { return parseSize(d, "buffer_total", "1TiB", &h.BufferTotal) }},
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
	c := new(ProviderConfig)
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

func (h *Handler) parseAnonymous(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 0, 1, "anonymous [<cookie>]")
	if err != nil {
		return err
	}
	h.Anonymous = new(AnonymousConfig)
	if len(args) == 1 {
		h.Anonymous.Cookie = args[0]
		if err := checkCookieName(args[0]); err != nil {
			return block.Located(d, err)
		}
	}
	return h.Anonymous.options().Parse(d, "anonymous", nil)
}

// options are the lines of the anonymous block.
func (c *AnonymousConfig) options() block.Options {
	return block.Options{"key": block.Text(&c.Key).Then(c.checkKey)}
}

func (h *Handler) parseCORS(d *caddyfile.Dispenser) error {
	if err := block.NoArgs(d, "cors"); err != nil {
		return err
	}
	h.CORS = new(CORSConfig)
	return h.CORS.options().Parse(d, "cors", nil)
}

// options are the lines of the cors block.
func (c *CORSConfig) options() block.Options {
	return block.Options{
		"origins": block.Texts(&c.Origins).Then(c.check),
		"headers": block.Texts(&c.Headers).Then(c.check),
		"expose":  block.Texts(&c.Expose).Then(c.check),
		"max_age": block.Duration(&c.MaxAge).Then(c.check),
	}
}

// providerRefs are the names of providers that routes mention. A route may
// stand before the provider it names, so they are checked at the end; each has
// its error ready, with the line it stands on.
type providerRefs struct {
	names []string
	errs  []error
}

func (p *providerRefs) add(d *caddyfile.Dispenser, r RouteConfig, name string) {
	p.names = append(p.names, name)
	p.errs = append(p.errs, d.Errf("%s %s: unknown provider %q", r.Kind, r.Path, name))
}

func (p *providerRefs) check(providers []*ProviderConfig) error {
	for i, name := range p.names {
		if !slices.ContainsFunc(providers, func(c *ProviderConfig) bool { return c.Name == name }) {
			return p.errs[i]
		}
	}
	return nil
}

// Interface guards.
var _ caddyfile.Unmarshaler = (*Handler)(nil)
