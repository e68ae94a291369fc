package demo

import (
	"embed"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/statuspage"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// The page is plain files, without a build step.
//
//go:embed page
var pageFiles embed.FS

// handler serves the page, the state of the providers, and the switches, which no
// page of another origin may use. Caddy proxies their paths to it.
func (d *demo) handler() http.Handler {
	servers := map[string]*sandbox.Server{"backend": d.backend, "openai": d.openai}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", guarded(http.HandlerFunc(servePage)))
	mux.Handle("GET /page/", guarded(http.FileServerFS(pageFiles)))
	// What the page shares with the status page.
	mux.Handle("GET /shared/", http.StripPrefix("/shared", guarded(http.FileServerFS(statuspage.Files()))))
	api := &adminAPI{url: "http://" + d.admin}
	mux.Handle("GET /demo/status", &statusPage{api: api, requests: d.log.requests, servers: servers, turns: d.backend.Turns})
	mux.Handle("POST /demo/force/{provider}/{action}", http.HandlerFunc(api.force))
	mux.Handle("GET /demo/Caddyfile", http.HandlerFunc(d.serveCaddyfile))
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

// serveCaddyfile serves the configuration in use. Its keys are not secret.
func (d *demo) serveCaddyfile(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, d.caddyfile)
}

// guarded adds the security headers of the page.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		statuspage.Guard(w.Header())
		next.ServeHTTP(w, r)
	})
}
