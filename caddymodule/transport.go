package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

const transportNamespace = "http.reverse_proxy.transport"

// Upstream is the part of a provider that reaches a server: one of Caddy's own
// transports, as in reverse_proxy.
type Upstream struct {
	// The transport: TLS, client certificates, proxies, dial timeout, versions.
	// Default: Caddy's HTTP transport with its own defaults, but without
	// compression.
	TransportRaw json.RawMessage `json:"transport,omitempty" caddy:"namespace=http.reverse_proxy.transport inline_key=protocol"`

	transport http.RoundTripper
}

// provision loads the transport.
func (u *Upstream) provision(ctx caddy.Context) error {
	if len(u.TransportRaw) == 0 {
		off := false
		t := &reverseproxy.HTTPTransport{Compression: &off}
		u.TransportRaw = caddyconfig.JSONModuleObject(t, "protocol", "http", nil)
	}
	mod, err := ctx.LoadModule(u, "TransportRaw")
	if err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	rt, ok := mod.(http.RoundTripper)
	if !ok {
		return fmt.Errorf("transport: module %T makes no round trips", mod)
	}
	if t, ok := mod.(*reverseproxy.HTTPTransport); ok {
		t.Transport.DialContext = classifiedDial(t.Transport.DialContext)
		if t.Transport.DialTLSContext != nil { // where the TLS server name has placeholders
			t.Transport.DialTLSContext = classifiedDial(t.Transport.DialTLSContext)
		}
	}
	u.transport = rt
	return nil
}

// unmarshalTransport parses `transport <protocol> { … }`.
func (u *Upstream) unmarshalTransport(d *caddyfile.Dispenser) error {
	if !d.NextArg() {
		return d.Errf("transport takes the name of a protocol, such as http")
	}
	name := d.Val()
	mod, err := caddyfile.UnmarshalModule(d, transportNamespace+"."+name)
	if err != nil {
		return err
	}
	u.TransportRaw = caddyconfig.JSONModuleObject(mod, "protocol", name, nil)
	return nil
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// classifiedDial makes dial's errors say whether the name or the connection was
// at fault: Caddy's transport wraps both in one error that hides its cause.
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
