package caddymodule

import (
	"crypto/rand"
	"net/http"
	"regexp"
)

const requestIDHeader = "X-Request-Id"

// saneID is what an id of the client's may be: it ends up in headers and logs.
var saneID = regexp.MustCompile(`^[A-Za-z0-9._:/+=-]{1,128}$`)

// requestID returns the id of a request: the client's own where it is sane, else a
// random one. It goes back to the client, upstream and into the access log.
func requestID(h http.Header) string {
	if id := h.Get(requestIDHeader); saneID.MatchString(id) {
		return id
	}
	return rand.Text()
}
