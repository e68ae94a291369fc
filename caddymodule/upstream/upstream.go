// Package upstream is the part of a provider's configuration that reaches its
// server: one of Caddy's own reverse_proxy transports, embedded as [Transport].
//
// Our providers embed it; a provider of a third party may too.
package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/tracing"
	"github.com/caddy-chatkit/caddy-chatkit/internal/exchange"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

const namespace = "http.reverse_proxy.transport"

// Transport is the transport of a provider, as in reverse_proxy.
type Transport struct {
	// The transport: TLS, client certificates, proxies, dial timeout, versions.
	// TLS needs an https URL; proxy_protocol is refused. Default: Caddy's HTTP
	// transport with its own defaults, but without compression.
	TransportRaw json.RawMessage `json:"transport,omitempty" caddy:"namespace=http.reverse_proxy.transport inline_key=protocol"`

	roundTripper, calls http.RoundTripper
	own                 *exchange.Transport // below calls, nil where that is Caddy's
}

// RoundTripper returns the transport, once it is loaded. It carries any request.
func (t *Transport) RoundTripper() http.RoundTripper { return t.roundTripper }

// Calls returns the transport for calls: requests of a provider's own, with small
// answers that are read at once. It costs less than [Transport.RoundTripper] where the
// server speaks HTTP/1.1, and is the same elsewhere.
func (t *Transport) Calls() http.RoundTripper { return t.calls }

// Load loads the transport to the server at base. A provider calls it when it is
// provisioned.
func (t *Transport) Load(ctx caddy.Context, base *url.URL) error {
	if len(t.TransportRaw) == 0 {
		off := false
		plain := &reverseproxy.HTTPTransport{Compression: &off}
		t.TransportRaw = caddyconfig.JSONModuleObject(plain, "protocol", "http", nil)
	}
	proxies := choosesProxy(t.TransportRaw)
	mod, err := ctx.LoadModule(t, "TransportRaw")
	if err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	rt, ok := mod.(http.RoundTripper)
	if !ok {
		return fmt.Errorf("transport: module %T is not a transport", mod)
	}
	if err := check(rt, base); err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	if h, ok := mod.(*reverseproxy.HTTPTransport); ok {
		h.Transport.DialContext = classifiedDial(h.Transport.DialContext)
		if h.Transport.DialTLSContext != nil { // where the TLS server name has placeholders
			h.Transport.DialTLSContext = classifiedDial(h.Transport.DialTLSContext)
		}
	}
	t.roundTripper = tracing.Transport(rt)
	t.calls = t.roundTripper
	if h, ok := mod.(*reverseproxy.HTTPTransport); ok && !proxies {
		if t.own = callTransport(h, base); t.own != nil {
			t.calls = tracing.Transport(t.own)
		}
	}
	return nil
}

// Cleanup implements [caddy.CleanerUpper]. Caddy calls it when the provider that embeds
// the transport is not used any more; one with a Cleanup of its own calls it there.
func (t *Transport) Cleanup() error {
	if t.own != nil {
		t.own.CloseIdleConnections()
	}
	return nil
}

// check refuses a transport that does not reach base as the configuration says.
func check(rt http.RoundTripper, base *url.URL) error {
	if p, ok := rt.(reverseproxy.ProxyProtocolTransport); ok && p.ProxyProtocolEnabled() {
		return errors.New("proxy_protocol is not supported, because requests of many clients share a connection to a provider")
	}
	t, ok := rt.(reverseproxy.TLSTransport)
	switch {
	case base.Scheme == "http" && ok && t.TLSEnabled():
		return errors.New("upstream address scheme is HTTP but transport is configured for HTTP+TLS (HTTPS)")
	case base.Scheme == "https" && !ok:
		return fmt.Errorf("upstream is configured for HTTPS but transport module does not support TLS: %T", rt)
	}
	return nil
}

// WarnOfKey logs warnings about a key that is not kept as safe as it could be. field
// is its option, value the key as configured, and base where it is sent.
func WarnOfKey(ctx caddy.Context, field, value string, base *url.URL) {
	if block.LiteralSecret(value) {
		ctx.Logger().Warn(field + " is written into the configuration; use {env.*} or {file.*}")
	}
	if value != "" && base.Scheme == "http" && !loopback(base.Hostname()) {
		ctx.Logger().Warn(field+" is sent unencrypted; use https", zap.String("host", base.Host))
	}
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// Option is the line `transport <protocol> { … }` of a provider's block.
func (t *Transport) Option() block.Option { return block.Option{Parse: t.parse} }

func (t *Transport) parse(d *caddyfile.Dispenser) error {
	if !d.NextArg() || d.Val() == "" {
		return d.Errf("wrong syntax, want: transport <protocol> (such as http)")
	}
	name := d.Val()
	mod, err := caddyfile.UnmarshalModule(d, namespace+"."+name)
	if err != nil {
		return err
	}
	t.TransportRaw = caddyconfig.JSONModuleObject(mod, "protocol", name, nil)
	return nil
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// classifiedDial makes the errors of dial say whether the name or the connection
// was at fault. Caddy's transport wraps both in one error that hides its cause.
func classifiedDial(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		reason := session.Dial
		traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			DNSDone: func(info httptrace.DNSDoneInfo) {
				if info.Err != nil {
					reason = session.DNS
				}
			},
		})
		conn, err := dial(traced, network, addr)
		if _, ok := errors.AsType[reverseproxy.DialError](err); ok {
			return nil, &session.Failure{Reason: reason, Err: err}
		}
		return conn, err
	}
}
