package docs_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const contract = "docs/guides/backend-contract.md"

// section is the text under a heading of the contract.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, text, ok := strings.Cut(shipped.ReadPage(t, contract), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("%s has no section %s", contract, heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// asking is a site before a backend of the test's own, with OpenAI behind it.
func asking(t *testing.T, then http.HandlerFunc, options string) (*testsite.Site, *testsite.Taker) {
	t.Helper()
	taker := testsite.NewTaker(t, then)
	s := testsite.New(t, `
	user {http.request.header.X-User}
	provider backend `+taker.URL+` {
		key key-of-the-backend
		timeout 300ms
		`+options+`
	}
	provider openai {
		base_url {env.TEST_OPENAI_URL}/v1
		key {env.TEST_OPENAI_KEY}
		workflow wf_docs
	}`)
	return s, taker
}

// ask sends the request that the page has an example of.
func ask(s *testsite.Site) testsite.Answer {
	return s.Post("/api/custom/session", `{"model":"large","metadata":{"plan":"pro"}}`, "X-User: alice", "X-Request-Id: 3f2a9c")
}

// The request and the answer of the page are those of the product.
func TestContractExamples(t *testing.T) {
	request := shipped.Section(t, contract, "Create a session", "http")[0].Text
	answer := shipped.Section(t, contract, "Create a session", "json")[0].Text
	s, backend := asking(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }, "")
	a := ask(s)
	a.Is(t, "200 backend")
	if want := `{"client_secret":"ses_51e0","expires_at":"2030-01-02T15:04:05Z","model":"large","metadata":{"plan":"pro"},"provider":"backend"}`; a.Raw != want {
		t.Errorf("the front end got %s, want %s", a.Raw, want)
	}
	got := backend.Only(t)
	for _, name := range []string{"Accept-Encoding", "Content-Length", "Host"} {
		got.Header.Del(name) // of the transport
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s %s\n", got.Method, got.RequestURI, got.Proto)
	for _, name := range slices.Sorted(slices.Values(keys(got.Header))) {
		fmt.Fprintf(&head, "%s: %s\n", name, got.Header.Get(name))
	}
	if text := head.String() + "\n" + got.Text + "\n"; text != request {
		t.Errorf("the backend is asked\n%s, the page has\n%s", text, request)
	}
}

// row is a line of the table of statuses: what the backend answers, the reason, and
// what happens then.
var row = regexp.MustCompile("(?m)^\\| ([^|]+) \\| [^|]+ \\| (?:`([a-z0-9_]+)` )?\\| ([^|]+) \\|$")

// Every status leads to what the table says.
func TestContractStatuses(t *testing.T) {
	checked := 0
	for _, m := range row.FindAllStringSubmatch(section(t, "What a status leads to"), -1) {
		answers, reason, then := m[1], m[2], m[3]
		if answers == "you answer" {
			continue
		}
		for status := range strings.FieldsSeq(answers) {
			switch {
			case strings.HasPrefix(answers, "200"), answers == "nothing in time":
				status = answers
			}
			checked++
			t.Run(status, func(t *testing.T) { checkStatus(t, status, reason, then) })
			if status == answers {
				break
			}
		}
	}
	if checked < 24 {
		t.Errorf("only %d statuses found", checked)
	}
}

func checkStatus(t *testing.T, status, reason, then string) {
	t.Helper()
	s, backend := asking(t, answering(status), "")
	a := ask(s)
	asked := len(backend.Received())
	switch reason {
	case "":
		a.Is(t, "200 backend")
	case "rejected":
		a.Is(t, status+" backend")
		if a.Body["code"] != "REJECTED" || !strings.Contains(then, "Nobody else is asked") || s.OpenAI.Calls() != 0 {
			t.Errorf("OpenAI was asked %d times, the front end got %s", s.OpenAI.Calls(), a.Raw)
		}
	default:
		a.Is(t, "200 openai "+reason)
		if !strings.Contains(then, "next provider is asked") {
			t.Errorf("the page says %q", then)
		}
	}
	want := 1
	if status == "503" {
		want = 2
	}
	if asked != want {
		t.Errorf("the backend was asked %d times, want %d", asked, want)
	}
	if reason == "misconfigured" {
		s.AwaitLogged("caddy.log", `"level":"error"`, "misconfigured")
	}
}

// answering is a backend that answers as a line of the table says.
func answering(status string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var code int
		switch status {
		case "nothing in time":
			<-r.Context().Done()
			return
		case "200 with a session":
			_, _ = io.WriteString(w, `{"session_id":"ses_51e0"}`)
			return
		case "200 with anything else":
			_, _ = io.WriteString(w, `<html>`)
			return
		}
		_, _ = fmt.Sscan(status, &code)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
	}
}

// With forward_headers a 401 is a refusal of the user, whose header the backend gets.
func TestContractForwardHeaders(t *testing.T) {
	s, backend := asking(t, answering("401"), "forward_headers X-Auth-Token")
	a := s.Post("/api/custom/session", "", "X-User: alice", "X-Auth-Token: token-of-alice")
	a.Is(t, "401 backend")
	if got := backend.Only(t).Header.Get("X-Auth-Token"); got != "token-of-alice" || s.OpenAI.Calls() != 0 {
		t.Errorf("the backend got %q, OpenAI was asked %d times", got, s.OpenAI.Calls())
	}
}

// What the page says of streams and messages: the path, the headers and the ID.
func TestContractCarried(t *testing.T) {
	s, backend := asking(t, nil, "")
	s.Post("/api/custom/stream?page=2", `{"message":"hi"}`, "Authorization: Bearer ses_51e0", "Cookie: theme=dark", "Origin: "+s.URL, "X-Request-Id: 3f2a9c").Is(t, "200 backend")
	got := backend.Only(t)
	if got.RequestURI != "/api/chat/stream?page=2" || got.Text != `{"message":"hi"}` {
		t.Errorf("the backend was asked %s: %s", got.RequestURI, got.Text)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer ses_51e0", "Cookie": "theme=dark", "Origin": s.URL, "X-Request-Id": "3f2a9c",
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": strings.TrimPrefix(s.URL, "http://"),
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
		}
	}
}
