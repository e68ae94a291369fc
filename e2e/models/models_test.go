package models_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby/standbytest"
	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const text = "Hello from the model, and good bye."

// server is a server of models that runs.
type server struct {
	*testing.T

	url string
}

func start(t *testing.T) *server {
	t.Helper()
	node := testtools.Node(t, "@copilotkit/aimock")
	script, err := filepath.Abs("testdata/models.cjs")
	if err != nil {
		t.Fatal(err)
	}
	p := testsite.StartProgram(t, t.TempDir(), nil, node, script)
	return &server{t, p.Await(t, `listening on (\S+)`)[1]}
}

// asked is how often the server was asked a question.
func (s *server) asked(question string) (n int) {
	s.Helper()
	var journal []struct {
		Body struct{ Messages []struct{ Content string } }
	}
	if err := json.Unmarshal([]byte(testsite.Do(s.T, http.DefaultClient, http.MethodGet, s.url+"/__aimock/journal", "").Raw), &journal); err != nil {
		s.Fatal(err)
	}
	for _, entry := range journal {
		if all := entry.Body.Messages; len(all) > 0 && all[len(all)-1].Content == question {
			n++
		}
	}
	return n
}

// site is a site with the model, and say behind it.
func (s *server) site(module, timeout string) *standbytest.Site {
	s.Helper()
	return standbytest.New(s.T, fmt.Sprintf(`standin %s %s/v1 {
		name model
		model gpt-test
		timeout %s
		breaker {
			consecutive off
			ratio off
		}
	}
	standin say {
		message word
	}`, module, s.url, timeout))
}

// What a model does, and what the client sees of it.
func TestModel(t *testing.T) {
	cases := []struct{ question, chat, responses string }{
		{"good", "model: " + text + "||", "model: " + text + "||"},
		{"thinks", "model: " + text + "||", "model: " + text + "||"},
		{"length", "model: " + text + "|cut max_tokens|", "model: " + text + "|cut max_tokens|"},
		{"filter", "model: " + text + "|cut content_filter|", "model: " + text + "|invalid_response|"}, // it says completed, and failed
		{"tool", "say: word||model invalid_response", "say: word||model invalid_response"},
		{"500", "say: word||model status_5xx", ""},
		{"401", "say: word||model misconfigured", ""},
		{"malformed", "say: word||model invalid_response", ""},
		{"drop", "say: word||model status_5xx", ""},
		{"disconnect", "say: word||model reset", ""},
		{"cut", "model: Hello from the*|reset|", "model: Hello*|reset|"}, // the last chunk may be lost
		{"slow", "model: " + text + "||", ""},
		{"late", "say: word||model timeout", ""},
		{"stall", "model: Hello from the model, and good|timeout|", "model: Hello from the |timeout|"},
		{"429", "say: word||model status_429", ""},
	}
	for _, module := range []string{"openai_chat", "openai_responses"} {
		t.Run(module, func(t *testing.T) {
			b := start(t)
			s := b.site(module, "2s")
			for _, c := range cases {
				want := c.chat
				if module == "openai_responses" && c.responses != "" {
					want = c.responses
				}
				began := time.Now()
				got := s.Ask("caller of "+c.question, c.question)
				t.Logf("%-10s %5d ms  %d texts  %s %s", c.question, time.Since(began).Milliseconds(), len(got.Texts), got, got.Error)
				if begin, end, _ := strings.Cut(want, "*"); got.String() != want &&
					(!strings.Contains(want, "*") || !strings.HasPrefix(got.String(), begin) || !strings.HasSuffix(got.String(), end)) {
					t.Errorf("%s: got %q, want %q", c.question, got, want)
				}
				if n := b.asked(c.question); n != 1 && c.question != "late" {
					t.Errorf("%s: the model was asked %d times", c.question, n)
				}
				if strings.Contains(got.Error, "SECRET") || strings.Contains(got.Text, "SECRET") {
					t.Errorf("%s: shows what was not for the client: %+v", c.question, got)
				}
			}
			// The last one has said 429 with Retry-After.
			if got, want := s.Ask("another", "good").String(), "say: word||model cooldown"; got != want || b.asked("good") != 1 {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// Text comes as the model says it, and tokens are told.
func TestStreaming(t *testing.T) {
	b := start(t)
	s := b.site("openai_chat", "2s")
	if got := s.Ask("a", "good"); len(got.Texts) < 5 || got.In == 0 || got.Out == 0 {
		t.Errorf("%d texts, %d and %d tokens", len(got.Texts), got.In, got.Out)
	}
}
