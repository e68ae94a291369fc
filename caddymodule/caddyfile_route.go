package caddymodule

import (
	"slices"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/dustin/go-humanize"
)

// parseRoute parses `<kind> <path> [<provider>...]` and `<kind> off`.
func (h *Handler) parseRoute(d *caddyfile.Dispenser, kind RouteKind, refs *providerRefs) error {
	if !d.NextArg() {
		return d.Errf("%s takes a path, or off", kind)
	}
	r := RouteConfig{Kind: kind, Path: d.Val()}
	if r.Path == "off" {
		r.Path, r.Off = "", true
		if err := noArgs(d, string(kind)+" off"); err != nil {
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
	return h.addRoute(d, r)
}

// parseRelay parses `<kind> <path> [<upstream_path>]` and `<kind> off`.
func (h *Handler) parseRelay(d *caddyfile.Dispenser, kind RouteKind) error {
	args := d.RemainingArgs()
	if len(args) < 1 || len(args) > 2 {
		return d.Errf("%[1]s reads: %[1]s <path> [<upstream_path>], or off", kind)
	}
	r := RouteConfig{Kind: kind, Path: args[0]}
	if len(args) == 2 {
		r.UpstreamPath = args[1]
	}
	if r.Path == "off" {
		r.Path, r.Off = "", true
		if len(args) == 2 {
			return d.Errf("unexpected argument %q after %s off", args[1], kind)
		}
	}
	return h.addRoute(d, r)
}

// addRoute takes a route whose line has been parsed.
func (h *Handler) addRoute(d *caddyfile.Dispenser, r RouteConfig) error {
	if r.Off && slices.ContainsFunc(h.Routes, func(o RouteConfig) bool { return o.Kind == r.Kind && o.Off }) {
		return d.Errf("%s off is given twice", r.Kind)
	}
	h.Routes = append(h.Routes, r)
	if err := checkRoutes(h.Routes, func(string) bool { return true }); err != nil {
		return located(d, err)
	}
	return noBlock(d, string(r.Kind))
}

// parseBuffer parses `buffer <size>`, such as 1MiB.
func (h *Handler) parseBuffer(d *caddyfile.Dispenser) error {
	var arg string
	if !d.AllArgs(&arg) {
		return d.Errf("buffer takes exactly one size")
	}
	size, err := humanize.ParseBytes(arg)
	if err != nil || size == 0 || size > 1<<30 {
		return d.Errf("buffer: %q is no size above 0 and up to 1GiB (such as 64KiB, 1MiB)", arg)
	}
	h.Buffer = int64(size)
	return noBlock(d, "buffer")
}

// parseOpenAI parses `openai_api <path> [<provider>...] { key <secret> }`.
func (h *Handler) parseOpenAI(d *caddyfile.Dispenser, refs *providerRefs) error {
	at := *d
	if !d.NextArg() {
		return d.Errf("openai_api takes the path of a base URL, such as /v1")
	}
	r := RouteConfig{Kind: OpenAIRoute, Path: d.Val()}
	for d.NextArg() {
		r.Providers = append(r.Providers, d.Val())
		refs.add(d, r, d.Val())
	}
	if err := r.options().parseBlock(d, "openai_api", nil); err != nil {
		return err
	}
	if r.Key == "" {
		return at.Errf("openai_api: key is missing")
	}
	h.Routes = append(h.Routes, r)
	return located(&at, checkRoutes(h.Routes, func(string) bool { return true }))
}

// options are the lines of an openai_api block.
func (r *RouteConfig) options() options { return options{"key": text(&r.Key)} }
