package caddymodule

import (
	"net/http"
	"net/url"
	"strings"
)

// claim returns the route of a request, nil if it is not ours, and the part of its
// path that varies.
func (h *Handler) claim(r *http.Request) (rt *route, segment string) {
	if encodesSlash(r.URL) {
		return nil, ""
	}
	if rt = h.routes[r.URL.Path]; rt != nil {
		if rt.kind == ChatKitRoute && r.Method != http.MethodPost && r.Method != http.MethodOptions {
			return nil, "" // the app may have a page there
		}
		return rt, ""
	}
	for _, rt := range h.patterns {
		if segment, ok := rt.match(r.URL.Path); ok {
			return rt, segment
		}
	}
	return nil, ""
}

// encodesSlash reports whether the path holds an encoded slash, which would be
// another path without it: /a%2Fb is not /a/b. Nor can any path of ours hold NUL.
func encodesSlash(u *url.URL) bool {
	return strings.Contains(u.RawPath, "%2F") || strings.Contains(u.RawPath, "%2f") || strings.Contains(u.Path, "\x00")
}

// match returns the part of a path that varies.
func (rt *route) match(path string) (segment string, ok bool) {
	rest, ok := strings.CutPrefix(path, rt.prefix)
	switch {
	case !ok:
		return "", false
	case rt.cancel:
		return cancelID(rest)
	}
	return rest, rest != "" && !strings.Contains(rest, "/")
}
