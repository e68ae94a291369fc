package registry

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// siteList holds the names of the sites of a configuration's handlers, as operators
// know them.
type siteList struct {
	mu        sync.Mutex
	byHandler map[caddyhttp.MiddlewareHandler][]string
}

// sitesOf returns the addresses of the sites that have a handler.
func (a *App) sitesOf(handler caddyhttp.MiddlewareHandler) []string {
	a.sites.mu.Lock()
	defer a.sites.mu.Unlock()
	if list, ok := a.sites.byHandler[handler]; ok {
		return list
	}
	if a.sites.byHandler == nil {
		a.sites.byHandler = make(map[caddyhttp.MiddlewareHandler][]string)
	}
	list := siteNames(SiteOf(a.ctx, handler))
	a.sites.byHandler[handler] = list
	return list
}

// siteNames returns a site's hosts with the ports that they are served on, unless
// those are the usual ones.
func siteNames(site Site) (all []string) {
	for _, at := range site {
		host, listen, known := strings.Cut(at, "@")
		if !known {
			continue
		}
		for l := range strings.SplitSeq(listen, ",") {
			if name := siteName(host, l); name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

func siteName(host, listen string) string {
	addr, err := caddy.ParseNetworkAddress(listen)
	if err != nil {
		return ""
	}
	if host == "*" {
		host = addr.Host
	}
	if addr.PortRangeSize() == 0 || addr.IsUnixNetwork() {
		return host
	}
	if port := addr.StartPort; host == "" || port != 80 && port != 443 {
		return net.JoinHostPort(host, strconv.FormatUint(uint64(port), 10))
	}
	return host
}
