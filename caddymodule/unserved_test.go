package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// line is a line of the log.
type logLine struct {
	Level, Msg, Route, Provider, Reason, Error, ServedBy string
	Status, Suppressed                                   int
	Providers                                            []string
}

// said are the lines of the log with a message.
func (s *site) said(msg string) (all []logLine) {
	s.T.Helper()
	for _, line := range s.Logged("caddy.log", `"msg":"`+msg+`"`) {
		var l logLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			s.T.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// Given a request that nobody could serve, then there is an error line that says why
// of each provider, with the error of the transport, and an event; of a storm there
// is one.
func TestUnservedIsAnError(t *testing.T) {
	tests := map[string]struct {
		block, path string
		backend     sandbox.Fault
		status      int
		reasons     []string
	}{
		"both fail": {testsite.TwoProviders, "/api/custom/session", sandbox.Refuse, 502, []string{"backend: dial: ", "openai: status_5xx: "}},
		"no session in the answer": {
			inFront("{env.TEST_BACKEND_URL}", "key {env.TEST_BACKEND_KEY}"), "/api/custom/session", sandbox.HTML, 502, []string{"backend: invalid_response: "},
		},
		"a stream": {testsite.TwoProviders, "/api/custom/stream", sandbox.Refuse, 502, []string{"backend: dial: "}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			forget()
			s.LoadText(s.watched(tt.block, "chatkit.unserved"))
			testsite.Set(t, s.Backend, tt.backend)
			testsite.Set(t, s.OpenAI, sandbox.Status500)
			for range 3 {
				if a := s.Post(tt.path, "{}"); a.Status != tt.status {
					t.Errorf("got %d: %s", a.Status, a.Raw)
				}
			}
			lines := s.said("no provider could serve")
			if len(lines) != 1 || lines[0].Level != "error" || lines[0].Status != tt.status || len(lines[0].Providers) != len(tt.reasons) {
				t.Fatalf("got %+v", lines)
			}
			for i, want := range tt.reasons {
				if got := lines[0].Providers[i]; !strings.HasPrefix(got, want) || len(got) == len(want) {
					t.Errorf("got %q, want %q and an error", got, want)
				}
			}
			onlyEvents(t, "chatkit.unserved")
		})
	}
}

// Who serves is a part of what is said once in ten seconds: a second fallback to
// somebody else has a line of its own, as has the failure of a provider behind the
// first.
func TestFallbackSaysWhoServes(t *testing.T) {
	s := newUnloadedSite(t)
	two := testsite.StandIn(t, sandbox.NewBackend, sandbox.Options{})
	s.Load(testsite.Backends("", testsite.Nobody(t), two.URL()) + openaiOnly)
	s.Session().Is(t, "200 b dial")
	s.Session().Is(t, "200 b dial")
	testsite.Set(t, two, sandbox.Status500)
	s.Session().Is(t, "200 openai dial")
	s.Session().Is(t, "200 openai dial")
	lines := s.said("fallback")
	served := make([]string, len(lines))
	for i, l := range lines {
		served[i] = l.Provider + " " + l.Reason
	}
	if !slices.Equal(served, []string{"a dial", "a dial"}) {
		t.Errorf("got the fallbacks %q", served)
	}
	failed := s.said("provider failed")
	if len(failed) != 1 || failed[0].Provider != "b" || failed[0].Reason != "status_5xx" || failed[0].Level != "warn" || failed[0].Status != 500 {
		t.Errorf("got %+v", failed)
	}
}

// The access log says what became of each request.
func TestAccessLogSaysTheOutcome(t *testing.T) {
	for name, tt := range map[string]struct {
		backend, openai sandbox.Fault
		path, body      string
		want            string
	}{
		"ok":              {sandbox.None, sandbox.None, "/api/custom/session", "", "ok"},
		"fallback":        {sandbox.Status500, sandbox.None, "/api/custom/session", "", "fallback"},
		"rejected":        {sandbox.Status403, sandbox.None, "/api/custom/session", "", "rejected"},
		"failed":          {sandbox.Status500, sandbox.Status500, "/api/custom/session", "", "failed"},
		"refused":         {sandbox.None, sandbox.None, "/api/custom/session", "{", "refused"},
		"carried":         {sandbox.None, sandbox.None, "/api/custom/message", "{}", "ok"},
		"carried, failed": {sandbox.Refuse, sandbox.None, "/api/custom/message", "{}", "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, testsite.TwoProviders)
			testsite.Set(t, s.Backend, tt.backend)
			testsite.Set(t, s.OpenAI, tt.openai)
			s.Do(http.MethodPost, tt.path, tt.body)
			s.AwaitLogged("access.log", fmt.Sprintf(`"chatkit_outcome":%q`, tt.want))
		})
	}
}
