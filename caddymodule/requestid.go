package caddymodule

import (
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

const requestIDHeader = "X-Request-Id"

// identifyRequest gives the request its id: the client's own where it is sane,
// else the one Caddy has for {http.request.uuid}. It goes back to the client,
// upstream and into the access log.
func (x *exchange) identifyRequest() {
	id := x.r.Header.Get(requestIDHeader)
	if !saneID(id) {
		id, _ = x.repl.GetString("http.request.uuid")
	}
	x.req.ID = id
	x.w.Header().Set(requestIDHeader, id)
	if extra, ok := x.r.Context().Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields); ok {
		extra.Set(zap.String("chatkit_request_id", id))
	}
}

// saneID tells whether an id of the client's can stand in headers and logs.
func saneID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '+', c == '=':
		default:
			return false
		}
	}
	return true
}
