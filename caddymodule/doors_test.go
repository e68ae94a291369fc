package caddymodule_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// doors is a block that claims a path of every kind there is, with a backend and
// OpenAI behind it.
const doors = `
	user {http.request.header.X-User}
	anonymous
	provider backend BACKEND {
		retries 0
		OWN
	}
	provider openai {
		base_url {env.TEST_OPENAI_URL}/v1
		key {env.TEST_OPENAI_KEY}
		workflow wf_test
		retries 0
	}
	chatkit /chatkit
	openai_api /v1 {
		key ` + appKey + `
	}`

// door is a request that could lead to a session.
type door struct {
	method, path, body string
	headers            []string
}

// knock returns the requests of a route, with an old secret wherever one is read.
func knock(r caddymodule.RouteConfig, secret string) []door {
	path := strings.Replace(r.Path, "{session}", cmp.Or(secret, "none"), 1)
	bearer := "Authorization: Bearer " + secret
	if r.Kind == caddymodule.OpenAIRoute {
		body := `{"user":"mallory","workflow":{"id":"wf_test"},"currentClientSecret":"` + secret + `"}`
		return []door{{http.MethodPost, path + "/chatkit/sessions", body, []string{"Authorization: Bearer " + appKey}}}
	}
	if r.Kind == caddymodule.WebSocketRoute {
		return []door{{http.MethodGet, path, "", slices.Concat(upgrade, []string{bearer})}}
	}
	body := fmt.Sprintf(`{"token":%q,"currentClientSecret":%[1]q,"message":"hi"}`, secret)
	return []door{{http.MethodPost, path, body, []string{bearer}}, {http.MethodPost, path, "", []string{bearer}}}
}

// upgrade asks for a WebSocket.
var upgrade = []string{
	"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
}

// Whom the backend refuses gets no session, at whatever path and with whatever
// secret, and OpenAI is not asked.
func TestNoOtherDoor(t *testing.T) {
	for _, tt := range []struct {
		name, own string
		status    int
		header    string
	}{
		{"403", "", http.StatusForbidden, "X-Nothing: to see"},
		{"403 with forwarded headers", "forward_headers X-Auth-Token", http.StatusForbidden, "X-Auth-Token: bad"},
		{"401 with forwarded headers", "forward_headers X-Auth-Token", http.StatusUnauthorized, "X-Auth-Token: bad"},
		{"401 with forwarded headers, none sent", "forward_headers X-Auth-Token", http.StatusUnauthorized, "X-Nothing: to see"},
		{"422", "", http.StatusUnprocessableEntity, "X-Nothing: to see"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var status atomic.Int32
			status.Store(http.StatusInternalServerError)
			backend := testsite.NewTaker(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) })
			block := strings.NewReplacer("BACKEND", backend.URL, "OWN", tt.own).Replace(doors)
			s := newSite(t, block)
			remembered := s.Session("X-User: alice")
			remembered.Is(t, "200 openai status_5xx")
			visitor, _, _ := strings.Cut(s.Session().Header.Get("Set-Cookie"), ";")
			s.OpenAI.Clear()
			status.Store(int32(tt.status))

			knockEverywhere(s, block, []string{"", "ek_made_up", remembered.Secret()}, [][]string{
				{"X-User: mallory", tt.header}, {tt.header}, {"Cookie: " + visitor, tt.header},
			})
			if n := s.OpenAI.Calls(); n != 0 {
				t.Errorf("OpenAI was asked %d times, want never", n)
			}
			if s.Metric(`breaker_state{provider="backend",state="closed"}`) != 1 {
				t.Error("refusals have opened the breaker")
			}
		})
	}
}

// knockEverywhere asks each route that a block claims, with each secret, as each
// caller. Nobody may get a session.
func knockEverywhere(s *site, block string, secrets []string, callers [][]string) {
	s.T.Helper()
	routes, err := caddymodule.Claimed(block)
	if err != nil || len(routes) < 8 {
		s.T.Fatalf("%d routes and %v", len(routes), err)
	}
	for _, r := range routes {
		for _, secret := range secrets {
			for _, caller := range callers {
				for _, d := range knock(r, secret) {
					headers := slices.Concat(d.headers, caller)
					a := s.Do(d.method, d.path, d.body, headers...)
					if a.Status < 400 || a.Status == http.StatusNotFound || a.Secret() != "" || a.Provider() == "openai" && a.Status != http.StatusConflict {
						s.T.Errorf("%s %s %s %q: got %d from %q: %s", d.method, d.path, d.body, headers, a.Status, a.Provider(), a.Raw)
					}
				}
			}
		}
	}
}
