package caddymodule_test

import (
	"net/http"

	"github.com/quic-go/quic-go/http3"
)

// The tests that go over protocols go over HTTP/3 too.
func init() {
	protocols["HTTP/3.0"] = func() http.RoundTripper {
		return quic{&http3.Transport{TLSClientConfig: trustAll(), DisableCompression: true}}
	}
}

// quic takes HTTP/3 to the site; its admin API is on plain HTTP.
type quic struct{ *http3.Transport }

// RoundTrip implements [http.RoundTripper].
func (q quic) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" {
		return (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	}
	return q.Transport.RoundTrip(r)
}
