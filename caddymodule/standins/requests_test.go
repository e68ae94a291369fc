package standins_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby/standbytest"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

func ask(texts ...string) standbytest.Turn {
	turn := standbytest.Turn{Safety: "hash-of-the-caller"}
	for i, text := range texts {
		if i%2 == 0 {
			turn.History = append(turn.History, user(text))
		} else {
			turn.History = append(turn.History, assistant(text))
		}
	}
	return turn
}

// Everything that a model gets: nothing of the caller but the words, whatever headers,
// cookies and users the request came with.
func TestRequest(t *testing.T) {
	const (
		messages = `{"role":"user","content":"Hi <b>"},{"role":"assistant","content":"Hello"},{"role":"user","content":"And?"}]`
		input    = `[{"type":"message","role":"user","content":"Hi <b>"},{"type":"message","role":"assistant","content":"Hello"},{"type":"message","role":"user","content":"And?"}]`
		told     = `{"role":"system","content":"planted-instructions-77ab"}`
		chat     = `{"model":"m-1","messages":[` + told + `,` + messages + `,"stream":true`
		resp     = `{"model":"m-1","instructions":"planted-instructions-77ab","input":` + input + `,"stream":true`
	)
	for name, c := range map[string]struct{ module, options, want string }{
		"chat":                {"openai_chat", "", chat + `,"stream_options":{"include_usage":true},"max_tokens":2048}`},
		"chat, plain":         {"openai_chat", "dialect plain\nmax_tokens 100", chat + `,"max_tokens":100}`},
		"chat, OpenAI's":      {"openai_chat", "dialect openai\nmax_tokens 100", chat + `,"stream_options":{"include_usage":true},"max_completion_tokens":100,"safety_identifier":"hash-of-the-caller","store":false}`},
		"responses":           {"openai_responses", "max_tokens 100", resp + `,"store":false,"max_output_tokens":100}`},
		"responses, plain":    {"openai_responses", "dialect plain", resp + `,"store":false,"max_output_tokens":2048}`},
		"responses, OpenAI's": {"openai_responses", "dialect openai", resp + `,"stream_options":{"include_obfuscation":false},"store":false,"max_output_tokens":2048,"safety_identifier":"hash-of-the-caller"}`},
	} {
		t.Run(name, func(t *testing.T) {
			m := start(t, hello())
			s := site(t, c.module, c.options)
			if got := s.Turn(ask("Hi <b>", "Hello", "And?"), "Cookie: c=SECRET", "Authorization: Bearer SECRET", "X-User: SECRET",
				"X-Forwarded-For: 192.0.2.1", "Accept-Language: SECRET", "Chatkit-Frame-Instance-Id: SECRET", "X-Request-Id: SECRET-id"); got.Text != "Hello" {
				t.Errorf("got %s", got)
			}
			r := m.last()
			if r.body != c.want {
				t.Errorf("sent\n%s\nwant\n%s", r.body, c.want)
			}
			names := slices.Sorted(maps.Keys(r.header))
			if want := []string{"Accept", "Authorization", "Content-Length", "Content-Type", "User-Agent"}; !slices.Equal(names, want) {
				t.Errorf("sent the headers %q, want %q", names, want)
			}
			if r.header.Get("Authorization") != "Bearer "+key || r.header.Get("User-Agent") != "caddy-chatkit" {
				t.Errorf("sent %v", r.header)
			}
		})
	}
}

// A long conversation is cut from its beginning, and a message that is too long by
// itself is not sent.
func TestHistory(t *testing.T) {
	m := start(t, hello())
	s := site(t, "openai_chat", "history 1KiB")
	long := strings.Repeat("x", 1000)
	if got := s.Turn(ask("old", long, "new")); got.Text != "Hello" {
		t.Errorf("got %s", got)
	}
	var sent struct {
		Messages []struct{ Role, Content string }
	}
	if err := json.Unmarshal([]byte(m.last().body), &sent); err != nil {
		t.Fatal(err)
	}
	if len(sent.Messages) != 4 { // all of it fits
		t.Errorf("sent %d messages", len(sent.Messages))
	}
	s.Turn(ask(long, "old", "new, and a bit longer than that"))
	if err := json.Unmarshal([]byte(m.last().body), &sent); err != nil || len(sent.Messages) != 2 || sent.Messages[1].Content != "new, and a bit longer than that" {
		t.Errorf("sent %.200s (%v)", m.last().body, err)
	}
	if got, want := s.Turn(ask(long+long)).String(), "say: word||model rejected"; got != want || m.calls() != 2 {
		t.Errorf("got %q after %d calls", got, m.calls())
	}
}

// No key is sent where none is configured.
func TestNoKey(t *testing.T) {
	m := start(t, hello())
	s := standbytest.New(t, "standin openai_chat {env.TEST_MODEL_URL} {\n model m\n}")
	got := s.Ask("a", "Hi")
	if _, sent := m.last().header["Authorization"]; sent || got.String() != "openai_chat: Hello||" {
		t.Errorf("got %s, sent %v", got, m.last().header)
	}
	if got.Title == "" || !strings.Contains(got.Notice, "AI model") || !strings.Contains(m.last().body, "cannot see accounts") {
		t.Errorf("title %q, notice %q, sent %s", got.Title, got.Notice, m.last().body)
	}
}

// Tokens are passed on, and the words of the notice can be others.
func TestUsageAndNotice(t *testing.T) {
	start(t, hello())
	s := site(t, "openai_responses", "title Vertretung\nnotice `Das *Modell* antwortet.`")
	if got := s.Ask("a", "Hi"); got.In != 7 || got.Out != 2 || got.Title != "Vertretung" || got.Notice != "Das *Modell* antwortet." {
		t.Errorf("got %+v", got)
	}
}

// The cap holds for 50 clients at once, and a reload does not refill it.
func TestMaxTurns(t *testing.T) {
	m := start(t, hello())
	s := site(t, "openai_chat", "max_turns 5 24h")
	body, err := json.Marshal(standbytest.Turn{History: []standin.Message{user("Hi")}})
	if err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	var byModel, bySay atomic.Int32
	for range 50 {
		clients.Go(func() {
			got, err := s.Try("POST", "/turn", string(body))
			switch {
			case err != nil:
				t.Error(err)
			case strings.Contains(got.Raw, `"Spoke":"model"`):
				byModel.Add(1)
			case strings.Contains(got.Raw, `"model rate_limited"`):
				bySay.Add(1)
			}
		})
	}
	clients.Wait()
	if m.calls() != 5 || byModel.Load() != 5 || bySay.Load() != 45 {
		t.Errorf("%d calls; the model answered %d, say %d", m.calls(), byModel.Load(), bySay.Load())
	}
	if err := s.TryLoad(lines("openai_chat", "max_turns 5 24h") + "standin say {\n name other\n message x\n}"); err != nil {
		t.Fatal(err)
	}
	if got, want := s.Ask("z", "Hi").String(), "say: word||model rate_limited"; got != want || m.calls() != 5 {
		t.Errorf("after a reload: got %q after %d calls", got, m.calls())
	}
	if v := s.Metric(`attempts_total{provider="model",result="rate_limited"}`); v != 46 {
		t.Errorf("the metric counts %v", v)
	}
}

// Keys, instructions and messages are in no log, no metric, no status and no
// configuration, however a turn ends.
func TestSecretsStayHere(t *testing.T) {
	planted := []string{key, instructions, "planted-question", "planted-answer"}
	m := start(t, says([]string{"planted-answer"}, true))
	for module := range apis {
		s := site(t, module, "")
		for _, answer := range []func(){
			func() {}, func() { m.then(cut(says([]string{"planted-answer"}, false))) },
			func() { m.then(status(500, `{"error":{"code":"planted-answer","message":"`+key+`"}}`)) },
			func() { m.then(status(400, `{"error":{"code":"planted-answer"}}`)) },
			func() { m.then(status(401, key)) },
			func() { m.then(status(200, "data: {\"error\":{\"code\":\"planted-question\"}}\n\n")) },
			func() { m.then(status(200, "data: planted-question\n\n")) },
		} {
			answer()
			s.Ask("a", "planted-question")
		}
		m.then(says([]string{"planted-answer"}, true))
		shown := strings.Join(append(s.Logged("caddy.log"), s.Logged("access.log")...), "") +
			s.Get(s.Admin+"/config/") + s.Get(s.Admin+"/metrics") + s.Get(s.Admin+"/chatkit/providers") + s.Get(s.Admin+"/chatkit/overview")
		for _, word := range planted {
			if i := strings.Index(shown, word); i >= 0 {
				t.Errorf("%s: %s is shown: …%s…", module, word, shown[max(0, i-200):i+len(word)])
			}
		}
	}
}
