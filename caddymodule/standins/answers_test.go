package standins_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// What the model does, and what becomes of the turn: with both APIs, over real HTTP.
func TestAnswers(t *testing.T) {
	const secret = `{"error":{"message":"SECRET","code":"SECRET"}}`
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string // who spoke: what|how it ended|who did not speak
		level  string // of the line in the log, where there is one
	}{
		"a good turn":           {hello(), "model: Hello||", ""},
		"says nothing":          {says(nil, true), "say: word||model invalid_response", ""},
		"500":                   {status(500, secret), "say: word||model status_5xx", ""},
		"503":                   {status(503, ""), "say: word||model status_5xx", ""},
		"400":                   {status(400, secret), "say: word||model rejected", "warn"},
		"401":                   {status(401, secret), "say: word||model misconfigured", "error"},
		"404":                   {status(404, "SECRET"), "say: word||model misconfigured", "error"},
		"429 for want of money": {status(429, `{"error":{"code":"insufficient_quota"}}`), "say: word||model misconfigured", "error"},
		"a redirect":            {status(302, "", "Location: /elsewhere"), "say: word||model invalid_response", ""},
		"a page":                {status(200, "<html>SECRET</html>", "Content-Type: text/html"), "say: word||model invalid_response", ""},
		"an error as JSON":      {status(200, secret, "Content-Type: application/json"), "say: word||model invalid_response", ""},
		"malformed":             {status(200, "data: {\"SECRET\n\n", "Content-Type: text/event-stream"), "say: word||model invalid_response", ""},
		"an empty 200":          {status(200, ""), "say: word||model invalid_response", ""},
		"cut before a word":     {cut(says(nil, false)), "say: word||model reset", ""},
		"cut behind a word":     {cut(says([]string{"Hel"}, false)), "model: Hel|reset|", ""},
		"ends too early":        {says([]string{"Hel"}, false), "model: Hel|reset|", ""},
		"hangs before a word":   {hangs(says(nil, false)), "say: word||model timeout", ""},
		"hangs without a head":  {hangs(func(http.ResponseWriter, *http.Request) {}), "say: word||model timeout", ""},
		"hangs behind a word":   {hangs(says([]string{"Hel"}, false)), "model: Hel|timeout|", ""},
		"hangs behind the end":  {hangs(hello()), "model: Hello||", ""},
	} {
		for module, api := range apis {
			t.Run(name+"/"+module, func(t *testing.T) {
				m := start(t, c.answer)
				s := site(t, module, "")
				if got := s.Ask("a", "Hi").String(); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
				if m.calls() != 1 || m.last().path != api.path {
					t.Errorf("asked %d times, last at %s", m.calls(), m.last().path)
				}
				if c.level != "" {
					s.AwaitLogged("caddy.log", `"level":"`+c.level+`"`, `"provider":"model"`)
				}
				if lines := s.Logged("caddy.log", "SECRET"); len(lines) > 0 {
					t.Errorf("the log shows what the model said: %s", lines)
				}
			})
		}
	}
}

// Nobody listens there.
func TestDeadModel(t *testing.T) {
	m := start(t, hello())
	m.Close()
	s := site(t, "openai_chat", "")
	if got, want := s.Ask("a", "Hi").String(), "say: word||model dial"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// 429 with Retry-After keeps the model out at once, for everybody.
func TestRetryAfter(t *testing.T) {
	m := start(t, status(429, `{"error":{"code":"rate_limit_exceeded"}}`, "Retry-After: 30"))
	s := site(t, "openai_chat", "")
	if got, want := s.Ask("a", "Hi").String(), "say: word||model status_429"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	m.then(hello())
	if got, want := s.Ask("b", "Hi").String(), "say: word||model cooldown"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if m.calls() != 1 {
		t.Errorf("asked %d times", m.calls())
	}
}

// Failures open the breaker, which outlives a reload that changes nothing here and is
// shown beside those of providers. A caller whose own words are refused does not open it.
func TestBreaker(t *testing.T) {
	m := start(t, status(400, `{"error":{"code":"invalid_prompt"}}`))
	const options = "breaker {\n consecutive 3\n open 1h 1h\n}"
	s := site(t, "openai_responses", options)
	for range 5 {
		s.Ask("mallory", "Hi")
	}
	m.then(status(500, ""))
	for i := range 3 {
		if got, want := s.Ask(string(rune('a'+i)), "Hi").String(), "say: word||model status_5xx"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	m.then(hello())
	if got, want := s.Ask("d", "Hi").String(), "say: word||model open"; got != want || m.calls() != 8 {
		t.Errorf("got %q after %d calls, want %q", got, m.calls(), want)
	}
	if err := s.TryLoad(lines("openai_responses", options) + "standin say {\n name other\n message x\n}"); err != nil {
		t.Fatal(err)
	}
	if got, want := s.Ask("e", "Hi").String(), "say: word||model open"; got != want || m.calls() != 8 {
		t.Errorf("after a reload: got %q after %d calls, want %q", got, m.calls(), want)
	}
	if v := s.Metric(`breaker_state{provider="model",state="open"}`); v != 1 {
		t.Errorf("the metric says %v", v)
	}
	if list := s.Get(s.Admin + "/chatkit/providers"); !strings.Contains(list, `"module":"openai_responses"`) {
		t.Errorf("the admin API says %s", list)
	}
}

// A stranger is not answered by a model.
func TestStranger(t *testing.T) {
	m := start(t, hello())
	s := site(t, "openai_chat", "")
	turn := ask("Hi")
	turn.Stranger = true
	if got := s.Turn(turn).String(); got != "say: word||" || m.calls() != 0 {
		t.Errorf("got %q after %d calls", got, m.calls())
	}
}

// A model stops when nobody waits for it any more.
func TestClientGone(t *testing.T) {
	gone := make(chan struct{})
	start(t, func(w http.ResponseWriter, r *http.Request) {
		says([]string{"Hel"}, false)(w, r)
		<-r.Context().Done()
		close(gone)
	})
	s := site(t, "openai_chat", "")
	client := &http.Client{Timeout: 300 * time.Millisecond}
	resp, err := client.Post(s.URL+"/turn", "application/json", strings.NewReader(`{"History":[{"Role":"user","Text":"Hi"}]}`))
	if err == nil {
		_ = resp.Body.Close()
		t.Fatalf("answered %d", resp.StatusCode)
	}
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the model goes on")
	}
	s.Await(`attempts_total{provider="model",result="canceled"}`, 1)
}
