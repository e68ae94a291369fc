package statuspage

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
)

func init() {
	caddy.RegisterModule(new(SitePage))
	caddy.RegisterModule(new(Health))
}

// SitePage serves the status page on a site, read-only. The page is at every path
// that ends in a slash; below it are its files, "status.json" and "events" with its
// JSON, "live" and "ready" for probes. Other requests go to the next handler.
//
// Hazard: the page shows addresses of providers, error texts, request IDs and who
// has forced a breaker. Put it behind authentication.
type SitePage struct {
	events registry.Events
}

// CaddyModule returns the Caddy module information.
func (*SitePage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.chatkit_status",
		New: func() caddy.Module { return new(SitePage) },
	}
}

// Provision notes when the configuration ends.
func (p *SitePage) Provision(ctx caddy.Context) error {
	p.events = registry.Events{Done: ctx.Done()}
	return nil
}

// ServeHTTP serves the page and what belongs to it.
func (p *SitePage) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	serve := p.find(r.URL.Path)
	if serve == nil {
		return next.ServeHTTP(w, r)
	}
	return read(w, r, serve)
}

// find returns what is at a path, nil if nothing is.
func (p *SitePage) find(path string) http.HandlerFunc {
	at := strings.LastIndexByte(path, '/')
	dir, last := path[:at+1], path[at+1:]
	if strings.HasSuffix(dir, "/"+filesDir) && last != "" {
		return func(w http.ResponseWriter, r *http.Request) { serveFile(w, r, last) }
	}
	switch last {
	case "":
		return func(w http.ResponseWriter, _ *http.Request) { servePage(w, false) }
	case "status.json":
		return serveStatus
	case "events":
		return p.events.ServeHTTP
	}
	if probe := findProbe(path); probe != nil {
		return probe
	}
	if strings.Contains(last, ".") {
		return nil
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		// Relative, as the path may have been stripped of a prefix.
		w.Header().Set("Location", "./"+last+"/")
		w.WriteHeader(http.StatusPermanentRedirect)
	}
}

func serveStatus(w http.ResponseWriter, _ *http.Request) {
	Guard(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(registry.Look())
}

// Health answers probes of load balancers and container platforms, at the paths
// that end in /live and /ready: 200, or 503 if it is not ready. Other requests go
// to the next handler.
type Health struct{}

// CaddyModule returns the Caddy module information.
func (*Health) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.chatkit_health",
		New: func() caddy.Module { return new(Health) },
	}
}

// ServeHTTP answers probes.
func (*Health) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	serve := findProbe(r.URL.Path)
	if serve == nil {
		return next.ServeHTTP(w, r)
	}
	return read(w, r, serve)
}

// findProbe returns the answer to a probe, nil if a path is not one.
func findProbe(path string) http.HandlerFunc {
	switch {
	case strings.HasSuffix(path, "/live"):
		return registry.ServeLive
	case strings.HasSuffix(path, "/ready"):
		return registry.ServeReady
	}
	return nil
}

// read serves what can only be read.
func read(w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the status is only read", http.StatusMethodNotAllowed)
		return nil
	}
	serve(w, r)
	return nil
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*SitePage)(nil)
	_ caddyhttp.MiddlewareHandler = (*SitePage)(nil)
	_ caddyhttp.MiddlewareHandler = (*Health)(nil)
)
