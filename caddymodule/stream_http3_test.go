package caddymodule_test

import (
	"net"
	"net/http"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/quic-go/quic-go/http3"
)

// The tests that go over protocols go over HTTP/3 too.
func init() {
	caddy.RegisterModule(orderly{})
	protocols["HTTP/3.0"] = func() http.RoundTripper {
		named := trustAll()
		named.ServerName = "example.com" // of the certificate: orderly does not tell which address was asked
		return quic{&http3.Transport{TLSClientConfig: named, DisableCompression: true}}
	}
}

// sent counts requests over HTTP/3.
var sent atomic.Int64

// quic takes HTTP/3 to the site; its admin API is on plain HTTP.
type quic struct{ *http3.Transport }

// RoundTrip implements [http.RoundTripper].
func (q quic) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" {
		return (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	}
	sent.Add(1)
	return q.Transport.RoundTrip(r)
}

// orderly makes the race detector see that a packet is received after it was
// sent, and so after Caddy's TLS app was started: a handshake reads what that
// start has written. Of TCP the detector knows by itself.
type orderly struct{ net.PacketConn }

// CaddyModule implements [caddy.Module].
func (orderly) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.packetconns.orderly", New: func() caddy.Module { return new(orderly) }}
}

// UnmarshalCaddyfile implements [caddyfile.Unmarshaler].
func (*orderly) UnmarshalCaddyfile(*caddyfile.Dispenser) error { return nil }

// WrapPacketConn implements [caddy.PacketConnWrapper].
func (*orderly) WrapPacketConn(c net.PacketConn) net.PacketConn { return orderly{c} }

// ReadFrom implements [net.PacketConn].
func (o orderly) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := o.PacketConn.ReadFrom(p)
	sent.Load()
	return n, from, err
}
