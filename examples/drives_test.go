package examples_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// The backend serves; when it is gone OpenAI does, and says why; the app gets
// everything else.
func driveMinimal(s *site) {
	t := s.T
	s.serve("minimal")
	s.Session().Is(t, "200 backend")
	refuse(t, s.Backend)
	a := s.Session()
	a.Is(t, "200 openai dial")
	if issued := s.OpenAI.Issued(); len(issued) != 1 || a.Body["client_secret"] != issued[0] {
		t.Errorf("got %s, which is not OpenAI's session", a.Raw)
	}
	if got := sent(t, s.OpenAI)["workflow"].(map[string]any)["id"]; got != "wf_example" {
		t.Errorf("OpenAI was asked for %v", got)
	}
	s.Do(http.MethodGet, "/pricing", "").Is(t, "418")
}

// A visitor keeps the id of its first answer; who asks too often is told when
// to come back, as a visitor and as an address; OpenAI's share is bounded.
func driveAnonymous(s *site) {
	t := s.T
	s.serve("anonymous")
	first := s.Session()
	first.Is(t, "200 backend")
	visitor, _ := sent(t, s.Backend)["user_id"].(string)
	cookie, _, _ := strings.Cut(first.Header.Get("Set-Cookie"), ";")
	if "anon-"+visitorOf(cookie) != visitor {
		t.Fatalf("the cookie is %q, the backend was asked for %v", cookie, visitor)
	}
	again := s.Session("Cookie: " + cookie)
	if again.Header.Get("Set-Cookie") != "" || sent(t, s.Backend)["user_id"] != visitor {
		t.Errorf("the cookie was not kept: %q", again.Header.Get("Set-Cookie"))
	}
	from := func(i int) string { return "X-Forwarded-For: 198.51.100." + strconv.Itoa(i%250) }
	checkWait(t, untilRefused(t, 10-2, func(i int) testsite.Answer { return s.Session("Cookie: "+cookie, from(i)) }))
	checkWait(t, untilRefused(t, 60, func(int) testsite.Answer { return s.Session("X-Forwarded-For: 192.0.2.1") }))
	refuse(t, s.Backend)
	last := untilRefused(t, 100, func(i int) testsite.Answer { return s.Session(from(i)) })
	if details, _ := last.Body["details"].(string); !strings.Contains(details, "openai is at its limit") {
		t.Errorf("got %d: %s", last.Status, last.Raw)
	}
}

// visitorOf returns the id in a visitor's cookie, which stands before its signature.
func visitorOf(cookie string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(cookie, "chatkit_session_id="), ".")
	return id
}

// untilRefused asks until it is not served any more, and returns that answer. n
// have to be served; a limit gives some back while the test is running.
func untilRefused(t *testing.T, n int, ask func(i int) testsite.Answer) testsite.Answer {
	t.Helper()
	for i := range 10 * n {
		a := ask(i)
		if a.Status == http.StatusOK {
			continue
		}
		if i < n {
			t.Errorf("only %d were served, want %d", i, n)
		}
		return a
	}
	t.Fatalf("%d were served, and no end of it", 10*n)
	return testsite.Answer{}
}

// checkWait checks that an answer says how long to wait.
func checkWait(t *testing.T, a testsite.Answer) {
	t.Helper()
	wait, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if a.Status != http.StatusTooManyRequests || a.Body["code"] != "RATE_LIMITED" || err != nil || wait < 1 || wait > 60 {
		t.Errorf("got %d, Retry-After %q: %s", a.Status, a.Header.Get("Retry-After"), a.Raw)
	}
}

// A visitor whom Sendbird does not know becomes a user there, once, and gets
// its token.
func driveSendbird(s *site) {
	t := s.T
	s.serve("sendbird")
	first := s.Session()
	first.Is(t, "200 sendbird")
	issued := s.Sendbird.Issued()
	if len(issued) != 1 || first.Body["token"] != issued[0] || first.Body["client_secret"] != issued[0] {
		t.Errorf("got %s", first.Raw)
	}
	cookie, _, _ := strings.Cut(first.Header.Get("Set-Cookie"), ";")
	visitor := "anon-" + visitorOf(cookie)
	again := s.Session("Cookie: " + cookie)
	again.Is(t, "200 sendbird")
	if visitor == "anon-" || first.Body["user_id"] != visitor || again.Body["user_id"] != visitor {
		t.Errorf("visitor %q got %s and %s", visitor, first.Raw, again.Raw)
	}
	requests := s.Sendbird.Requests()
	asked := make([]string, 0, len(requests))
	for _, r := range requests {
		asked = append(asked, r.Path)
	}
	token := "/v3/users/" + visitor + "/token"
	if !slices.Equal(asked, []string{token, "/v3/users", token, token}) {
		t.Errorf("Sendbird was asked %q", asked)
	}
}

// The app's server gets sessions in OpenAI's shape with its key, whoever serves,
// and nobody gets one without; browsers get none at all.
func driveOpenAISDK(s *site) {
	t := s.T
	s.serve("openai-sdk")
	ask := func(headers ...string) testsite.Answer {
		return s.Do(http.MethodPost, "/v1/chatkit/sessions", `{"user":"alice","workflow":{"id":"wf_example"}}`, headers...)
	}
	for _, headers := range [][]string{nil, {"Authorization: Bearer " + testsite.OpenAIKey}} {
		a := ask(headers...)
		a.Is(t, "401")
		if e, _ := a.Body["error"].(map[string]any); e["code"] != "invalid_api_key" {
			t.Errorf("got %s, want an error of OpenAI's shape", a.Raw)
		}
	}
	if n := s.Backend.Calls() + s.OpenAI.Calls(); n != 0 {
		t.Errorf("without the key somebody was asked %d times", n)
	}
	for _, want := range []string{"200 backend", "200 openai dial"} {
		a := ask("Authorization: Bearer " + appKey)
		a.Is(t, want)
		secret, _ := a.Body["client_secret"].(string)
		if a.Body["object"] != "chatkit.session" || a.Body["user"] != "alice" || a.Body["status"] != "active" || secret == "" {
			t.Errorf("got %s, want a session of OpenAI's shape", a.Raw)
		}
		refuse(t, s.Backend)
	}
	if got := sent(t, s.OpenAI)["workflow"].(map[string]any)["id"]; got != "wf_example" {
		t.Errorf("OpenAI was asked for %v", got)
	}
	s.Session().Is(t, "418")
}

// The model says who is asked and for which workflow; for a dead backend the
// first workflow steps in; what nobody has is refused.
func driveMultiModel(s *site) {
	t := s.T
	sales := testsite.StandIn(t, sandbox.NewBackend, sandbox.Options{Key: "key-of-sales"})
	t.Setenv("CUSTOM_BACKEND_URL_SALES", sales.URL())
	t.Setenv("CUSTOM_BACKEND_KEY_SALES", "key-of-sales")
	t.Setenv("CHATKIT_WORKFLOW_ID_RESEARCH", "wf_research")
	s.serve("multi-model")
	for _, tt := range []struct {
		body, want string
		workflow   string // that OpenAI was asked for
	}{
		{``, "200 support", ""},
		{`{"model":"support"}`, "200 support", ""},
		{`{"model":"sales"}`, "200 sales", ""},
		{`{"model":"research","metadata":{"plan":"pro"}}`, "200 openai", "wf_research"},
		{`{"model":"research","metadata":{"plan":{"nested":true}}}`, "400", ""},
		{`{"model":"billing"}`, "400", ""},
		{"dead", "", ""}, // from here on
		{`{"model":"sales"}`, "200 openai dial", "wf_example"},
	} {
		if tt.body == "dead" {
			refuse(t, sales)
			continue
		}
		s.OpenAI.Clear()
		s.Do(http.MethodPost, "/api/custom/session", tt.body).Is(t, tt.want)
		if tt.workflow == "" {
			if s.OpenAI.Calls() != 0 {
				t.Errorf("%s: OpenAI was asked", tt.body)
			}
			continue
		}
		workflow := sent(t, s.OpenAI)["workflow"].(map[string]any)
		variables, _ := workflow["state_variables"].(map[string]any)
		if workflow["id"] != tt.workflow || strings.Contains(tt.body, "plan") != (variables["plan"] == "pro") {
			t.Errorf("%s: OpenAI was asked for %v", tt.body, workflow)
		}
	}
	if got := sent(t, sales)["model"]; got != "sales" {
		t.Errorf("sales was asked for model %v", got)
	}
}
