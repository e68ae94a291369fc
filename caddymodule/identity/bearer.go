package identity

import (
	"net/http"
	"strings"
)

// Bearer returns the bearer token of a request, "" where there is none.
func Bearer(h http.Header) string {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
