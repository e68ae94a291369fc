package upstream

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

	"github.com/caddy-chatkit/caddy-chatkit/internal/exchange"
)

// callTransport returns what sends calls to base in place of Caddy's transport:
// connections by the same dialer, with the same TLS and the same limits, used on the
// goroutine of the caller. nil where Caddy's does something that it does not: HTTP/2
// and 3, proxies, compression, limits of all connections, and of single reads and
// writes.
func callTransport(h *reverseproxy.HTTPTransport, base *url.URL) *exchange.Transport {
	t := h.Transport
	plain := base.Scheme == "http" && !slices.Contains(h.Versions, "h2c")
	encrypted := base.Scheme == "https" && t.DialTLSContext == nil && !slices.Contains(h.Versions, "2")
	switch {
	case !exchange.Supported || !plain && !encrypted,
		slices.Contains(h.Versions, "3"),
		proxied(base),
		!t.DisableCompression, t.DisableKeepAlives,
		h.ReadTimeout > 0, h.WriteTimeout > 0, t.ResponseHeaderTimeout > 0, t.MaxConnsPerHost > 0, t.MaxIdleConns > 0:
		return nil
	}
	return &exchange.Transport{
		Dial: t.DialContext, TLS: t.TLSClientConfig, HandshakeTimeout: t.TLSHandshakeTimeout,
		MaxIdle: t.MaxIdleConnsPerHost, IdleTimeout: t.IdleConnTimeout, MaxHeader: t.MaxResponseHeaderBytes,
	}
}

// proxied reports whether requests to base go through a proxy of the environment.
func proxied(base *url.URL) bool {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: base})
	return proxy != nil || err != nil
}

// choosesProxy reports whether a transport is configured to use proxies, or not to:
// whether it does may depend on the request.
func choosesProxy(config json.RawMessage) bool {
	var names struct {
		NetworkProxy json.RawMessage `json:"network_proxy"`
		ForwardProxy json.RawMessage `json:"forward_proxy_url"`
	}
	err := json.Unmarshal(config, &names)
	return err != nil || names.NetworkProxy != nil || names.ForwardProxy != nil
}
