package caddymodule

import (
	"reflect"
	"slices"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/turns"
)

// parseRoute parses `<kind> <path> [<provider>...]` and `<kind> off`.
func (h *Handler) parseRoute(d *caddyfile.Dispenser, kind RouteKind, refs *providerRefs) error {
	if !d.NextArg() {
		return d.Errf("wrong syntax, want: %s <path> [<provider>...]|off", kind)
	}
	r := RouteConfig{Kind: kind, Path: d.Val()}
	if r.Path == "off" {
		r.Path, r.Off = "", true
		if err := block.NoArgs(d, string(kind)+" off"); err != nil {
			return err
		}
	}
	for d.NextArg() {
		if slices.Contains(r.Providers, d.Val()) {
			return d.Errf("%s %s: provider %q is given twice", kind, r.Path, d.Val())
		}
		r.Providers = append(r.Providers, d.Val())
		refs.add(d, r, d.Val())
	}
	if err := h.addRoute(d, r); err != nil {
		return err
	}
	return block.NoBlock(d, string(kind))
}

// parseCarried parses `<kind> <path> [<upstream_path>]` and `<kind> off`.
func (h *Handler) parseCarried(d *caddyfile.Dispenser, kind RouteKind) error {
	r, err := parseCarriedLine(d, kind)
	if err != nil {
		return err
	}
	if err := h.addRoute(d, r); err != nil {
		return err
	}
	return block.NoBlock(d, string(kind))
}

// parseCarriedLine parses the line without a block behind it.
func parseCarriedLine(d *caddyfile.Dispenser, kind RouteKind) (r RouteConfig, err error) {
	args, err := block.Args(d, 1, 2, string(kind)+" <path> [<upstream_path>]|off")
	if err != nil {
		return r, err
	}
	r = RouteConfig{Kind: kind, Path: args[0]}
	if len(args) == 2 {
		r.UpstreamPath = args[1]
	}
	if r.Path == "off" {
		r.Path, r.Off = "", true
		if len(args) == 2 {
			return r, d.Errf("unexpected argument %q after %s off", args[1], kind)
		}
	}
	return r, nil
}

// parseChatKit parses `chatkit <path> [<upstream_path>] { … }` and `chatkit off`.
func (h *Handler) parseChatKit(d *caddyfile.Dispenser) error {
	at := *d
	r, err := parseCarriedLine(d, ChatKitRoute)
	if err != nil {
		return err
	}
	if err := h.addRoute(d, r); err != nil || r.Off {
		if err == nil {
			err = block.NoBlock(d, string(ChatKitRoute))
		}
		return err
	}
	var c turns.TurnConfig
	if err := c.Options().Parse(d, "turn", nil); err != nil {
		return err
	}
	if !reflect.ValueOf(c).IsZero() {
		h.Routes[len(h.Routes)-1].Turn = &c
	}
	return block.Located(&at, c.CheckAll())
}

// addRoute takes a route whose line has been parsed.
func (h *Handler) addRoute(d *caddyfile.Dispenser, r RouteConfig) error {
	if r.Off && slices.ContainsFunc(h.Routes, func(o RouteConfig) bool { return o.Kind == r.Kind && o.Off }) {
		return d.Errf("%s off is given twice", r.Kind)
	}
	h.Routes = append(h.Routes, r)
	return block.Located(d, checkRoutes(h.Routes, func(string) bool { return true }))
}

// parseOpenAI parses `openai_api <path> [<provider>...] { key <secret> }`.
func (h *Handler) parseOpenAI(d *caddyfile.Dispenser, refs *providerRefs) error {
	at := *d
	if !d.NextArg() {
		return d.Errf("wrong syntax, want: openai_api <path> [<provider>...] (the path of a base URL, such as /v1)")
	}
	r := RouteConfig{Kind: OpenAIRoute, Path: d.Val()}
	for d.NextArg() {
		r.Providers = append(r.Providers, d.Val())
		refs.add(d, r, d.Val())
	}
	if err := r.options().Parse(d, "openai_api", nil); err != nil {
		return err
	}
	if r.Key == "" {
		return at.Errf("openai_api: key is missing")
	}
	h.Routes = append(h.Routes, r)
	return block.Located(&at, checkRoutes(h.Routes, func(string) bool { return true }))
}

// options are the lines of an openai_api block.
func (r *RouteConfig) options() block.Options { return block.Options{"key": block.Text(&r.Key)} }
