package bench

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
)

func init() { caddy.RegisterModule(new(stubTransport)) }

// broken, while set, makes requests to hosts that begin with "a" fail.
var broken atomic.Bool

// stubTransport is a transport that answers by itself, so that the benchmarks
// measure only the handler. Hosts that begin with "a" can fail.
type stubTransport struct{}

func (*stubTransport) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.reverse_proxy.transport.stub",
		New: func() caddy.Module { return new(stubTransport) },
	}
}

const answer = `{"session_id":"session-0123456789abcdef0123456789abcdef","client_secret":"ek_0123456789abcdef0123456789abcdef",` +
	`"expires_at":"2099-12-31T23:59:59Z","model":"custom-v1"}`

func (*stubTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	if err := context.Cause(r.Context()); err != nil {
		return nil, err
	}
	if broken.Load() && r.URL.Host[0] == 'a' {
		return nil, errors.New("connection reset")
	}
	return &http.Response{
		StatusCode: http.StatusOK, ContentLength: int64(len(answer)),
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)),
	}, nil
}
