package caddymodule_test

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// refusedTotals are the series of refused_total, with their values.
func (s *site) refusedTotals() map[string]float64 {
	s.T.Helper()
	all := make(map[string]float64)
	for line := range strings.Lines(s.Get(s.Admin + "/metrics")) {
		series, ours := strings.CutPrefix(line, "caddy_chatkit_refused_total")
		name, value, ok := strings.Cut(strings.TrimSpace(series), " ")
		n, err := strconv.ParseFloat(value, 64)
		if ours && ok && err == nil {
			all[name] = n
		}
	}
	return all
}

// Every error answer of ours is counted once, whatever kind of route it is on, and
// nothing else is. The series are there before.
func TestRefusedTotal(t *testing.T) {
	const key = "Authorization: Bearer " + appKey
	s := newSite(t, "\n anonymous\n rate_limit user 1000 1h\n chatkit /chatkit\n openai_api /v1 {\n key "+appKey+"\n }\n cors {\n origins https://app.example.com\n }"+quick(""))
	testsite.Set(t, s.Backend, sandbox.Status500)
	elsewhere := s.Session().Secret()
	testsite.Set(t, s.Backend, sandbox.None)
	const evil = "Origin: https://evil.test"
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		fault                    sandbox.Fault
		route, code              string // "": nothing is counted
	}{
		{"session", "POST", "/api/custom/session", "", nil, "", "", ""},
		{"stream", "POST", "/api/custom/stream", `{"message":"hi"}`, nil, "", "", ""},
		{"preflight", "OPTIONS", "/api/custom/session", "", []string{evil, "Access-Control-Request-Method: POST"}, "", "", ""},
		{"not claimed", "POST", "/other", "", nil, "", "", ""},
		{"session, method", "GET", "/api/custom/session", "", nil, "", "session", "method_not_allowed"},
		{"session, body", "POST", "/api/custom/session", "[]", nil, "", "session", "bad_request"},
		{"session, refused by the backend", "POST", "/api/custom/session", "", nil, sandbox.Status403, "session", "rejected"},
		{"refresh, origin", "POST", "/api/custom/refresh", "", []string{evil}, "", "refresh", "forbidden_origin"},
		{"stream, origin", "POST", "/api/custom/stream", "", []string{evil}, "", "stream", "forbidden_origin"},
		{"stream, method", "GET", "/api/custom/stream", "", nil, "", "stream", "method_not_allowed"},
		{"stream, session of another provider", "POST", "/api/custom/stream", "", []string{"Authorization: Bearer " + elsewhere}, "", "stream", "session_elsewhere"},
		{"message, method", "PUT", "/api/custom/message", "", nil, "", "message", "method_not_allowed"},
		{"WebSocket, no upgrade", "GET", "/api/ws/chat/x", "", nil, "", "websocket", "bad_request"},
		{"chatkit, origin", "POST", "/chatkit", "{}", []string{evil}, "", "chatkit", "forbidden_origin"},
		{"openai_api, key", "POST", "/v1/chatkit/sessions", "{}", nil, "", "openai_api", "invalid_api_key"},
		{"cancel, key", "POST", "/v1/chatkit/sessions/x/cancel", "", nil, "", "openai_api", "invalid_api_key"},
		{"cancel, method", "GET", "/v1/chatkit/sessions/x/cancel", "", []string{key}, "", "openai_api", "method_not_allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testsite.Set(t, s.Backend, cmp.Or(tt.fault, sandbox.None))
			want := s.refusedTotals()
			got := s.Do(tt.method, tt.path, tt.body, tt.headers...)
			if tt.code != "" {
				series := fmt.Sprintf("{code=%q,route=%q}", tt.code, tt.route)
				if _, ok := want[series]; !ok {
					t.Errorf("%s is not there from the start", series)
				}
				want[series]++
			} else if tt.name == "session" && got.Status != http.StatusOK {
				t.Errorf("got %d", got.Status)
			}
			after := s.refusedTotals()
			for series, n := range after {
				if n != want[series] {
					t.Errorf("%s is %v, want %v (got %d %s)", series, n, want[series], got.Status, got.Raw)
				}
			}
		})
	}
}
