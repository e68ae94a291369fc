package demo

import (
	"embed"
	"net"
	"net/http"
	"net/url"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// The page is plain files, without a build step.
//
//go:embed page
var pageFiles embed.FS

// contentPolicy lets the page load only this server's files: no inline script or
// style, no other origin. No other page may frame it.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// handler serves the page, the state of the providers, and the fault switches, which
// no page of another origin may use. Caddy proxies their paths to it.
func (d *demo) handler() http.Handler {
	servers := map[string]*sandbox.Server{"backend": d.backend, "openai": d.openai}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", guarded(http.HandlerFunc(servePage)))
	mux.Handle("GET /page/", guarded(http.FileServerFS(pageFiles)))
	mux.Handle("GET /demo/status", &statusPage{metricsURL: d.loopbackURL() + "/metrics", servers: servers})
	mux.Handle("/demo/", http.StripPrefix("/demo", sandbox.Control(servers)))
	return local(http.NewCrossOriginProtection().Handler(mux))
}

// local refuses requests for another host than this machine: its port can be
// reached without Caddy too.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := (&url.URL{Host: r.Host}).Hostname()
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "the demo answers on localhost only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func servePage(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pageFiles, "page/index.html")
}

// guarded adds the security headers of the page. The page's files have no
// modification times, so they are not cached.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}
