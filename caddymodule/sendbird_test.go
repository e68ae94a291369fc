package caddymodule_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// sendbirdToken is the API token the stand-in asks for.
const sendbirdToken = "planted-sendbird-token-51be"

// sendbirdSite is a site with a stand-in for Sendbird.
type sendbirdSite struct {
	*site
	Sendbird *sandbox.Server
}

// newSendbirdSite starts a stand-in that knows some users and loads a site.
func newSendbirdSite(t *testing.T, block string, users ...string) *sendbirdSite {
	t.Helper()
	s := &sendbirdSite{site: newUnloadedSite(t)}
	s.Sendbird = testsite.StandIn(t, sandbox.NewSendbird,
		sandbox.Options{Key: sendbirdToken, Users: users, Deactivated: []string{"gone"}})
	t.Setenv("TEST_SENDBIRD_URL", s.Sendbird.URL())
	t.Setenv("TEST_SENDBIRD_TOKEN", sendbirdToken)
	s.Load(block)
	return s
}

// sendbirdOnly is a provider with more options, for users named by a header.
func sendbirdOnly(options string) string {
	return `
	user {http.request.header.X-User}
	provider sendbird {
		app_id APP-1
		api_token {env.TEST_SENDBIRD_TOKEN}
		host {env.TEST_SENDBIRD_URL}
		timeout 1s
		retries 0
		` + options + `
	}`
}

// sendbirdFirst has openai behind it.
func sendbirdFirst(options string) string { return sendbirdOnly(options) + openaiOnly }

// as asks for a session of a user.
func (s *sendbirdSite) as(user string) answer {
	s.T.Helper()
	return s.Post("/api/custom/session", "", "X-User: "+user)
}

// asked are the paths the stand-in was asked, as they were sent.
func (s *sendbirdSite) asked() []string {
	requests := s.Sendbird.Requests()
	paths := make([]string, len(requests))
	for i, r := range requests {
		paths[i] = r.Escaped
	}
	return paths
}

const (
	sendbirdClosed = `breaker_state{provider="sendbird",state="closed"}`
	sendbirdOpen   = `breaker_state{provider="sendbird",state="open"}`
)

// The front end gets the token by both names, and the user it is for.
func TestSendbirdSession(t *testing.T) {
	for ttl, want := range map[string]time.Duration{"": 10 * time.Minute, "ttl 1h": time.Hour} {
		t.Run(ttl, func(t *testing.T) {
			s := newSendbirdSite(t, sendbirdFirst(ttl), "u1")
			a := s.as("u1")
			issued := s.Sendbird.Issued()
			if a.Status != http.StatusOK || a.Provider() != "sendbird" || a.Reason() != "" || len(issued) != 1 {
				t.Fatalf("got %d from %q: %s", a.Status, a.Provider(), a.Raw)
			}
			checkSession(t, a)
			if a.Body["token"] != issued[0] || a.Body["client_secret"] != issued[0] || a.Body["user_id"] != "u1" || len(a.Body) != 5 {
				t.Errorf("got %s", a.Raw)
			}
			end, err := time.Parse(time.RFC3339, a.Body["expires_at"].(string))
			if err != nil || time.Until(end.Add(-want)).Abs() > 5*time.Second {
				t.Errorf("ends at %s, want in %s", end, want)
			}
			if got := s.asked(); !slices.Equal(got, []string{"/v3/users/u1/token"}) || s.OpenAI.Calls() != 0 {
				t.Errorf("asked %q", got)
			}
		})
	}
}

// A user whom Sendbird does not know or refuses gets no session, neither there
// nor elsewhere, and says nothing about Sendbird.
func TestSendbirdRejections(t *testing.T) {
	for name, tt := range map[string]struct{ options, user string }{
		"unknown":                 {"", "nobody"},
		"deactivated":             {"", "gone"},
		"deactivated, creating":   {"create_users", "gone"},
		"too long an id":          {"", strings.Repeat("x", 81)},
		"too long, creating":      {"create_users", strings.Repeat("ü", 81)},
		"unknown, default listed": {"fallback_on 401 404 405 408 425 429 5xx", "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSendbirdSite(t, sendbirdFirst(tt.options))
			const calls = 10
			for range calls {
				a := s.as(tt.user)
				if a.Status != http.StatusBadRequest || a.Provider() != "sendbird" || a.Reason() != "" {
					t.Fatalf("got %d from %q because %q: %s", a.Status, a.Provider(), a.Reason(), a.Raw)
				}
				checkError(t, a, "REJECTED")
			}
			if s.Sendbird.Calls() != calls || s.OpenAI.Calls() != 0 || s.Metric(sendbirdClosed) != 1 {
				t.Errorf("sendbird was called %d times and openai %d", s.Sendbird.Calls(), s.OpenAI.Calls())
			}
		})
	}
}

// fallback_on sends an unknown user on where the operator wants that.
func TestSendbirdUnknownUserGoesOn(t *testing.T) {
	s := newSendbirdSite(t, sendbirdFirst("fallback_on 4xx 5xx"))
	if a := s.as("nobody"); a.Status != http.StatusOK || a.Provider() != "openai" || a.Reason() != "status_4xx" {
		t.Errorf("got %d from %q because %q: %s", a.Status, a.Provider(), a.Reason(), a.Raw)
	} else if a.Body["token"] != nil || a.Body["user_id"] != nil {
		t.Errorf("got %s", a.Raw)
	}
}
