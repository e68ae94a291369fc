package caddymodule

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

const requestIDHeader = "X-Request-Id"

// identifyRequest gives the request its id: the client's own where it is sane,
// else a new one. It goes back to the client, upstream and into the access log.
func (x *exchange) identifyRequest() {
	x.req.ID = x.r.Header.Get(requestIDHeader)
	if !saneID(x.req.ID) {
		x.req.ID = newID()
	}
	x.setHeader(requestIDHeader, x.req.ID)
}

// newID is 128 random bits in hex, as in a trace id. An id is for finding
// things, not for keeping them secret. (Caddy's {http.request.uuid} would do,
// but costs more than the rest of this module's headers together.)
func newID() string {
	var id [16]byte
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64()) //nolint:gosec // see above
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64()) //nolint:gosec // see above
	return hex.EncodeToString(id[:])
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
