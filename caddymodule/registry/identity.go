package registry

import (
	"net"
	"net/http"
	"strings"
	"unicode"
)

// maxWho bounds what a request may say about who makes it, in characters.
const maxWho = 64

// who returns what a request says about who makes it, fit for a line of text.
func who(said string) string {
	said = strings.Join(strings.FieldsFunc(said, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || !unicode.IsPrint(r)
	}), " ")
	if runes := []rune(said); len(runes) > maxWho {
		said = string(runes[:maxWho])
	}
	return said
}

// identity returns how and from where a request has come: the common name of the
// client's certificate, where Caddy has checked one, then the tool and the address.
// It follows what the request says itself.
func identity(r *http.Request) string {
	var name string
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		name = " (certificate of " + who(r.TLS.PeerCertificates[0].Subject.CommonName) + ")"
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil { // a Unix socket
		host = "this machine"
	}
	return name + " by " + tool(r.UserAgent()) + " from " + host
}

// tool returns what made a request, of a closed set.
func tool(agent string) string {
	switch {
	case strings.HasPrefix(agent, "chatkit-breaker"):
		return "chatkit-breaker"
	case strings.HasPrefix(agent, "Mozilla/"):
		return "a browser"
	}
	return "the admin API"
}
