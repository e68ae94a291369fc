package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/spf13/pflag"
)

// servePage serves the status page of the admin API on an address of this machine.
// Browsers cannot open it there: they send Sec-Fetch headers, and Caddy then wants
// an Origin, which a page that somebody types the address of does not have.
func servePage(f *pflag.FlagSet, address string) error {
	admin, err := adminAddress(f)
	if err != nil {
		return err
	}
	if _, err := ask(f, http.MethodGet, statusPath, nil, nil); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("invalid address %q (want localhost:2020)", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("address %q is not of this machine alone: anybody who can reach it could force breakers (want localhost:2020; from elsewhere use an SSH tunnel)", address)
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("serving the page: %w; choose another with --page localhost:<port>", err)
	}
	handler, err := pageHandler(admin)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return err
	}
	_, _ = fmt.Printf("The status page is at http://%s/chatkit/ until Ctrl-C.\n", net.JoinHostPort(host, port))
	server := &http.Server{Handler: ownPage(handler, port), ReadHeaderTimeout: 5 * time.Second}
	return server.Serve(ln)
}

// ownPage lets through what the page itself asks for: by a name of this machine,
// so that no other name can be made to point here, and no other site changes
// anything.
func ownPage(next http.Handler, port string) http.Handler {
	names := []string{"localhost:" + port, "127.0.0.1:" + port, "[::1]:" + port}
	protected := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(names, r.Host) {
			http.Error(w, "host not allowed", http.StatusForbidden)
			return
		}
		protected.ServeHTTP(w, r)
	})
}

// pageHandler passes requests for the page on to the admin API. Other paths of the
// admin API cannot be reached.
func pageHandler(admin string) (http.Handler, error) {
	addr, err := caddy.ParseNetworkAddress(admin)
	if err != nil || addr.PortRangeSize() > 1 {
		return nil, errors.Join(fmt.Errorf("invalid admin address %s", admin), err)
	}
	host := addr.JoinHostPort(0)
	if addr.IsUnixNetwork() {
		host = "127.0.0.1" // not used, but a request needs one
	}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, addr.Network, addr.JoinHostPort(0))
		}},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", host, host
			for name := range r.Out.Header {
				if len(name) > 4 && name[:4] == "Sec-" {
					r.Out.Header.Del(name)
				}
			}
			r.Out.Header.Set("Origin", "http://"+host)
		},
	}
	mux := http.NewServeMux()
	mux.Handle("/chatkit/", proxy)
	mux.Handle("/{$}", http.RedirectHandler("/chatkit/", http.StatusFound))
	return mux, nil
}
