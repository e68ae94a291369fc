package caddymodule_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const (
	drillToken = "planted-drill-token-41c7"
	drillLine  = "\n drill {env.TEST_DRILL}"
	shown      = "X-ChatKit-Drill: " + drillToken
)

// A drill is served by the next provider, and nobody else notices it.
func TestDrill(t *testing.T) {
	t.Setenv("TEST_DRILL", drillToken)
	s := newSite(t, visitor+drillLine)
	before := s.Get(s.Admin + "/metrics")
	s.Session(shown).Is(t, "200 openai drill")
	if s.Backend.Calls() != 0 || s.OpenAI.Calls() != 1 {
		t.Errorf("the backend was asked %d times, openai %d times", s.Backend.Calls(), s.OpenAI.Calls())
	}
	after := s.Get(s.Admin + "/metrics")
	for _, name := range []string{"sessions_total", "fallbacks_total", "session_duration_seconds_count", "streams_total", "refused_total", "breaker_transitions_total"} {
		if was, is := seriesNamed(before, name), seriesNamed(after, name); was != is {
			t.Errorf("%s has changed:\n%s\n%s", name, was, is)
		}
	}
	if n := s.Metric("drills_total"); n < 1 {
		t.Errorf("%v drills", n)
	}
	if lines := s.Logged("caddy.log", `"msg":"drill"`, `"served_by":"openai"`, `"outcome":"fallback"`); len(lines) != 1 {
		t.Errorf("%d lines", len(lines))
	}
	if lines := s.Logged("caddy.log", `"msg":"fallback"`); len(lines) > 0 {
		t.Errorf("a drill is logged as a fallback: %s", lines[0])
	}
	if list := s.Get(s.Admin + "/chatkit/fallbacks"); strings.Contains(list, "drill") {
		t.Errorf("a drill is listed as a fallback: %s", list)
	}
	s.Session().Is(t, "200 backend")
}

// seriesNamed are the lines of a metric.
func seriesNamed(page, name string) string {
	var all strings.Builder
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "caddy_chatkit_"+name) {
			all.WriteString(line)
		}
	}
	return all.String()
}

// However many there are, the breaker does not hear of drills.
func TestDrillsOpenNoBreaker(t *testing.T) {
	t.Setenv("TEST_DRILL", drillToken)
	s := newSite(t, visitor+drillLine)
	for range 30 {
		s.Session(shown).Is(t, "200 openai drill")
	}
	if s.Metric(backendClosed) != 1 {
		t.Error("the breaker has opened")
	}
	// Nobody behind it: the drill fails, and says so to the operator only.
	testsite.Set(t, s.OpenAI, sandbox.Status500)
	if a := s.Session(shown); a.Status != http.StatusBadGateway || !strings.Contains(a.Raw, "Backend was left out for a drill") {
		t.Errorf("got %d: %s", a.Status, a.Raw)
	}
	if lines := s.Logged("caddy.log", "no provider could serve"); len(lines) > 0 {
		t.Errorf("a drill is logged as an outage: %s", lines[0])
	}
	if lines := s.Logged("caddy.log", `"msg":"drill"`, `"outcome":"failed"`); len(lines) != 1 {
		t.Errorf("%d lines", len(lines))
	}
}

// A wrong token does what an unknown header does.
func TestDrillWithAWrongToken(t *testing.T) {
	t.Setenv("TEST_DRILL", drillToken)
	s := newSite(t, visitor+drillLine)
	for name, headers := range map[string][]string{
		"another":   {"X-ChatKit-Drill: planted-drill-token-41c8"},
		"longer":    {shown + "x"},
		"shorter":   {"X-ChatKit-Drill: planted-drill-token-41c"},
		"empty":     {"X-ChatKit-Drill: "},
		"its name":  {"X-ChatKit-Drill: {env.TEST_DRILL}"},
		"of a user": {"X-ChatKit-Drill: " + strings.ToUpper(drillToken)},
	} {
		t.Run(name, func(t *testing.T) {
			plain, a := s.Session(), s.Session(headers...)
			a.Is(t, "200 backend")
			for h := range a.Header {
				if _, ok := plain.Header[h]; !ok {
					t.Errorf("the answer tells by %s", h)
				}
			}
		})
	}
	r, err := testsite.Request(t.Context(), http.MethodPost, s.URL+"/api/custom/session", "")
	if err != nil {
		t.Fatal(err)
	}
	r.Header["X-Chatkit-Drill"] = []string{drillToken, drillToken}
	resp, err := s.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	a, _ := testsite.ReadAnswer(resp)
	a.Is(t, "200 backend")
	if n := len(s.Logged("caddy.log", `"msg":"drill"`)); n != 0 {
		t.Errorf("%d drills", n)
	}
}

// On carried requests the next backend answers, and no backend sees the token.
func TestDrillOfCarriedRequests(t *testing.T) {
	t.Setenv("TEST_DRILL", drillToken)
	one, two := testsite.NewTaker(t, nil), testsite.NewTaker(t, nil)
	s := newSite(t, testsite.Backends("chatkit /chatkit"+drillLine, one.URL, two.URL))
	for _, path := range []string{"/api/custom/stream", "/api/custom/message", "/chatkit"} {
		for _, header := range []string{shown, "X-ChatKit-Drill: something-else-entirely"} {
			got := s.Post(path, `{"type":"threads.list","params":{}}`, header)
			want := "200 a"
			if header == shown {
				want = "200 b drill"
			}
			got.Is(t, want)
		}
	}
	s.Await(`streams_in_flight{kind="stream"}`, 0)
	if len(one.Received()) != 3 || len(two.Received()) != 3 {
		t.Errorf("%d and %d requests", len(one.Received()), len(two.Received()))
	}
	for _, r := range append(one.Received(), two.Received()...) {
		if _, ok := r.Header["X-Chatkit-Drill"]; ok {
			t.Errorf("a backend got the token: %v", r.Header)
		}
	}
	s.AwaitLogged("caddy.log", `"msg":"drill"`, `"route":"chatkit"`, `"served_by":"b"`)
	if raw, err := os.ReadFile(filepath.Join(s.Dir, "caddy.log")); err != nil || strings.Contains(string(raw), drillToken) {
		t.Errorf("the log has the token (%v)", err)
	}
}

// The token is nowhere to be seen.
func TestDrillTokenIsSecret(t *testing.T) {
	t.Setenv("TEST_DRILL", drillToken)
	s := newSite(t, visitor+drillLine)
	s.Session(shown)
	for _, page := range []string{"/config/", "/metrics", "/chatkit/status"} {
		if strings.Contains(s.Get(s.Admin+page), drillToken) {
			t.Errorf("%s shows the token", page)
		}
	}
	for _, bad := range []struct{ line, want string }{
		{"drill short", `drill: the token has 5 characters (want at least 16)`},
		{"drill {env.TEST_NOT_SET}", "drill"},
	} {
		err := s.TryLoad(visitor + "\n " + bad.line)
		if err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: got %v", bad.line, err)
		}
	}
	t.Setenv("TEST_DRILL", "tiny")
	if err := s.TryLoad(visitor + drillLine); err == nil || strings.Contains(fmt.Sprint(err), "tiny") {
		t.Errorf("got %v", err)
	}
}
