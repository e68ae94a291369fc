package upstream

import (
	"context"
	"net/http/httptrace"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// WithoutProxy returns the context of a request that reverse_proxy carries for another
// request that is made on its way. It hides from a transport what the proxy has put
// there for its own: where to dial, and the hook that passes 1xx answers to the client,
// which may belong to an attempt that fails.
func WithoutProxy(ctx context.Context) context.Context { return withoutProxy{ctx} }

type withoutProxy struct{ context.Context } //nolint:containedctx // a context with fewer values

// Value implements [context.Context].
func (c withoutProxy) Value(key any) any {
	switch v := c.Context.Value(key).(type) {
	case reverseproxy.DialInfo, *httptrace.ClientTrace:
		return nil
	default:
		return v
	}
}
