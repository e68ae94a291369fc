package caddymodule

import (
	"net/http"
	"slices"
	"strings"
)

// shownHeaders are the headers of a carried request and its answer that log lines
// may show. Any other may be a credential: the operator's forward_headers, cookies,
// the token that a browser has to put into Sec-WebSocket-Protocol.
var shownHeaders = headerSet(
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Encoding", "Content-Length", "Content-Type",
	"Date", "Incremental", "Origin", "Retry-After", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Websocket-Version",
	"Sec-WebSocket-Version", "Sec-Websocket-Accept", "Sec-Websocket-Extensions", "Server", "User-Agent", "Vary", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
	// Those of one connection, which reverse_proxy goes by and removes.
	"Alt-Svc", "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
)

func headerSet(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// hide takes from a request of reverse_proxy's what its log lines must not show,
// and returns the request as it is to be sent. The proxy looks at little of it
// after the round trip: whether it upgrades.
func hide(r *http.Request, path, id string) *http.Request {
	sent := r.WithContext(r.Context())
	r.Header = make(http.Header, len(sent.Header))
	for name, values := range sent.Header {
		if shownHeaders[name] {
			r.Header[name] = values
		}
	}
	r.Header[requestIDHeader] = []string{id}
	r.RequestURI = path
	return sent
}

// withhold takes from an answer the headers that log lines must not show, and
// returns them. Those that its Connection names are removed, as the proxy would.
func withhold(h http.Header) http.Header {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = http.CanonicalHeaderKey(strings.TrimSpace(name)); !slices.Contains([]string{"", "Upgrade"}, name) {
				delete(h, name)
			}
		}
	}
	held := make(http.Header)
	for name, values := range h {
		if !shownHeaders[name] {
			held[name] = values
			delete(h, name)
		}
	}
	delete(held, "Proxy-Authenticate") // of one connection too
	delete(held, "Proxy-Authorization")
	if values, ok := held["Sec-Websocket-Protocol"]; ok { // as the proxy would write it
		held["Sec-WebSocket-Protocol"] = values
		delete(held, "Sec-Websocket-Protocol")
	}
	return held
}
