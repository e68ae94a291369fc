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

// Every fault of Sendbird gives a session from openai, with the reason.
func TestSendbirdFallsBack(t *testing.T) {
	for fault, reason := range map[sandbox.Fault]string{
		sandbox.Refuse:       "dial",
		sandbox.Reset:        "reset",
		sandbox.Hang:         "timeout",
		sandbox.Cut:          "reset",
		sandbox.Garbage:      "reset",
		sandbox.Status500:    "status_5xx",
		sandbox.Status503:    "status_5xx",
		sandbox.Status429:    "status_429",
		sandbox.Status401:    "misconfigured",
		sandbox.Status404:    "misconfigured",
		sandbox.Status301:    "invalid_response",
		sandbox.HTML:         "invalid_response",
		sandbox.Empty:        "invalid_response",
		sandbox.EmptySecret:  "invalid_response",
		sandbox.Numeric:      "invalid_response",
		sandbox.Expired:      "invalid_response",
		sandbox.ControlChars: "invalid_response",
		sandbox.LongSecret:   "invalid_response",
		sandbox.Huge:         "invalid_response",
	} {
		t.Run(string(fault), func(t *testing.T) {
			s := newSendbirdSite(t, strings.Replace(sendbirdFirst("create_users"), "timeout 1s", "timeout 300ms", 1), "u1")
			testsite.Set(t, s.Sendbird, fault)
			a := s.as("u1")
			if a.Status != http.StatusOK || a.Provider() != "openai" || a.Reason() != reason {
				t.Errorf("got %d from %q because %q, want 200 from openai because %s: %s", a.Status, a.Provider(), a.Reason(), reason, a.Raw)
			}
			if calls := s.Sendbird.Calls(); fault != sandbox.Refuse && calls != 1 {
				t.Errorf("sendbird was called %d times, want once", calls)
			}
		})
	}
}

// A wrong API token is the operator's to mend: it is logged as an error, with
// Sendbird's code and not with its words.
func TestSendbirdBadToken(t *testing.T) {
	s := newSendbirdSite(t, strings.Replace(sendbirdFirst(""), "{env.TEST_SENDBIRD_TOKEN}", "{env.TEST_OPENAI_KEY}", 1), "u1")
	if a := s.as("u1"); a.Status != http.StatusOK || a.Provider() != "openai" || a.Reason() != "misconfigured" {
		t.Errorf("got %d from %q because %q: %s", a.Status, a.Provider(), a.Reason(), a.Raw)
	}
	s.AwaitLogged("caddy.log", `"level":"error"`, `"misconfigured"`, "sendbird error 400401 with status 400: API token is not valid")
	if lines := s.Logged("caddy.log", "Invalid API token"); len(lines) > 0 {
		t.Errorf("Sendbird's words are in the log: %q", lines)
	}
}

// The rate limit of the application: nobody asks until the time it says is over,
// rounded up to a second.
func TestSendbirdRateLimit(t *testing.T) {
	s := newSendbirdSite(t, sendbirdFirst(""), "u1")
	testsite.Set(t, s.Sendbird, sandbox.Status429)
	for _, want := range []string{"status_429", "cooldown", "cooldown"} {
		if a := s.as("u1"); a.Status != http.StatusOK || a.Provider() != "openai" || a.Reason() != want {
			t.Errorf("got %d from %q because %q, want %s", a.Status, a.Provider(), a.Reason(), want)
		}
	}
	if calls := s.Sendbird.Calls(); calls != 1 {
		t.Errorf("sendbird was called %d times, want once", calls)
	}
	testsite.Set(t, s.Sendbird, sandbox.None)
	begin := time.Now()
	for end := begin.Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if a := s.as("u1"); a.Provider() == "sendbird" {
			break
		}
		if time.Now().After(end) {
			t.Fatal("sendbird is not asked again")
		}
	}
	if waited := time.Since(begin); waited < 500*time.Millisecond {
		t.Errorf("asked again after %s, want a second", waited)
	}
}

// Where nobody else is left the front end learns when to come back.
func TestSendbirdRateLimitAlone(t *testing.T) {
	s := newSendbirdSite(t, sendbirdOnly(""), "u1")
	testsite.Set(t, s.Sendbird, sandbox.Status429)
	a := s.as("u1")
	if a.Status != http.StatusTooManyRequests || a.Header.Get("Retry-After") != "1" {
		t.Errorf("got %d, Retry-After %q: %s", a.Status, a.Header.Get("Retry-After"), a.Raw)
	}
	checkError(t, a, "RATE_LIMITED")
}

func TestSendbirdBreaker(t *testing.T) {
	s := newSendbirdSite(t, sendbirdFirst("breaker {\n consecutive 3\n open 1m\n }"), "u1")
	testsite.Set(t, s.Sendbird, sandbox.Status500)
	for i := range 6 {
		want := "status_5xx"
		if i >= 3 {
			want = "open"
		}
		if a := s.as("u1"); a.Status != http.StatusOK || a.Reason() != want {
			t.Errorf("request %d: got %d because %q, want %s", i, a.Status, a.Reason(), want)
		}
	}
	if s.Sendbird.Calls() != 3 || s.Metric(sendbirdOpen) != 1 {
		t.Errorf("sendbird was called %d times, want 3", s.Sendbird.Calls())
	}
}

// The API token, and the tokens of users, are to be seen nowhere.
func TestSendbirdSecretsStayInside(t *testing.T) {
	block := sendbirdFirst("create_users\n timeout 200ms\n breaker {\n consecutive 1000\n ratio off\n }")
	block = strings.Replace(block, "timeout 1s\n", "", 1)
	s := newSendbirdSite(t, block, "u1")
	w := &sweep{site: s.site}
	cooling := []sandbox.Fault{sandbox.Slow, sandbox.Status429, sandbox.Status503Retry} // the others would not be met
	faults := slices.DeleteFunc(sandbox.Faults(), func(f sandbox.Fault) bool { return slices.Contains(cooling, f) })
	for _, f := range append(faults, cooling[1:]...) {
		testsite.Set(t, s.Sendbird, f)
		for _, user := range []string{"u1", "gone", "new of " + string(f), ""} {
			a, err := s.Try(http.MethodPost, "/api/custom/session", "", "X-User: "+user)
			if err != nil {
				t.Fatal(err)
			}
			if a.Status != http.StatusOK {
				w.seen = append(w.seen, a.Raw)
			}
			for name, values := range a.Header {
				w.seen = append(w.seen, name+": "+strings.Join(values, " "))
			}
		}
	}
	w.pages()
	for _, bad := range []string{
		strings.Replace(block, "APP-1", "{env.TEST_SENDBIRD_TOKEN}/", 1),
		strings.Replace(block, "{env.TEST_SENDBIRD_URL}", "https://u:{env.TEST_SENDBIRD_TOKEN}@example.com", 1),
		strings.Replace(block, "{env.TEST_SENDBIRD_TOKEN}", sendbirdToken, 1) + "\n nonsense",
		strings.Replace(block, "provider sendbird", "provider sendbird "+sendbirdToken, 1),
	} {
		err := s.TryLoad(bad)
		if err == nil {
			t.Fatalf("loads: %s", bad)
		}
		w.seen = append(w.seen, err.Error())
	}
	w.pages()
	s.AwaitLogged("caddy.log", `"attempt"`, "sendbird")
	s.AwaitLogged("access.log", "/api/custom/session")
	if len(s.Sendbird.Issued()) < 10 {
		t.Fatalf("only %d tokens were issued", len(s.Sendbird.Issued()))
	}
	// What the stand-in spoils is no secret: a control character is not found anyway.
	issued := slices.DeleteFunc(s.Sendbird.Issued(), func(token string) bool { return len(token) < 16 })
	w.look(append(issued, sendbirdToken))
}
