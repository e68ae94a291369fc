package samples_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const anonymous = "anonymous"

// The widget gets its secret from the backend, and from OpenAI where that is dead.
func frontendIntegration(s *samples) {
	t := s.T
	backend, openai := newBackend(t), newOpenAI(t)
	to := serve(t, anonymous, asBackend(backend.URL()), asOpenAI(openai))
	for _, want := range []*sandbox.Server{backend, openai} {
		p := s.open(t, "frontend-integration", to)
		p.is("drawn", []string{"openai-chatkit", "h-screen w-full"})
		gave(t, want, p.text("secret"))
		p.end()
		testsite.Set(t, backend, sandbox.Refuse)
	}
}

// Every event is there as soon as the backend has sent it.
func streamingResponse(s *samples) {
	t := s.T
	c := newChat(t)
	p := s.open(t, "streaming-response-handler", serve(t, anonymous, asBackend(c.URL)))
	p.is("secret", "session-123")
	c.next(t, "/api/sessions", "Bearer key-of-the-backend")
	if body := c.next(t, "/api/chat/stream", "Bearer session-123"); body != `{"message":"Hello, wörld"}` {
		t.Errorf("the backend got %s", body)
	}
	for _, text := range []string{"one", "zwölf", "🎈"} {
		c.stream <- text
		p.is("piece", event(text))
	}
	close(c.stream)
	p.is("end", nil)
	p.end()
}

// A dead backend is an error that the user is told of; once its breaker is open
// it is another one.
func errorHandling(s *samples) {
	t := s.T
	dead := newDeadBackend(t)
	p := s.open(t, "error-handling", serve(t, anonymous, asBackend(dead.URL(), "breaker {\nconsecutive 2\n}")), "TIMES=3")
	for _, status := range []string{"502", "502", "503"} {
		if text := p.text("console.error"); !strings.HasPrefix(text, "Session failed:") || !strings.Contains(text, status) {
			t.Errorf("logged %s", text)
		}
		p.is("notification", []string{"Chat service unavailable", "error"})
		p.is("console.error", "Chat error: HTTP "+status)
		p.is("secret", map[string]string{"failed": "HTTP " + status})
	}
	p.end()
}

// The loop gets over two failures of a lone backend, and needs only one turn
// where there is a fallback. It gives up on a backend that is dead.
func retryLogic(s *samples) {
	t := s.T
	const path = "/api/custom/session"
	backend, openai := newBackend(t), newOpenAI(t)
	testsite.Set(t, backend, sandbox.Status500)
	backend.OnRequest(func(*sandbox.Recorded) {
		if backend.Calls() == 2 {
			_ = backend.Set(sandbox.None)
		}
	})
	p := s.open(t, "retry-logic", serve(t, anonymous, asBackend(backend.URL())))
	gave(t, backend, p.text("secret"))
	p.is("calls", []string{path + " 502", path + " 502", path + " 200"})
	p.end()

	testsite.Set(t, backend, sandbox.Refuse)
	p = s.open(t, "retry-logic", serve(t, anonymous, asBackend(backend.URL()), asOpenAI(openai)))
	gave(t, openai, p.text("secret"))
	p.is("calls", []string{path + " 200"})
	p.end()

	p = s.open(t, "retry-logic", serve(t, anonymous, asBackend(backend.URL())))
	p.is("failed", "Session creation failed")
	p.is("calls", []string{path + " 502", path + " 502", path + " 502"})
	p.end()
}

// The app's own token reaches the backend, also from a page of another origin,
// which has to ask first, and not from an origin that is not on the list.
func customAuthentication(s *samples) {
	t := s.T
	const page = "https://app.example.com"
	backend := newBackend(t)
	forward := asBackend(backend.URL(), "forward_headers X-Auth-Token")
	open := serve(t, anonymous, forward)
	listed := serve(t, anonymous, forward, "cors {\norigins "+page+"\n}")
	for _, tt := range []struct {
		name, origin string
		to           *site
		asks, fails  bool
	}{
		{"same origin", "", open, false, false},
		{"other origin", page, open, true, false},
		{"origin on the list", page, listed, true, false},
		{"origin not on the list", "https://other.example.com", listed, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			backend.Clear()
			p := s.open(t, "custom-authentication", tt.to, "ORIGIN="+tt.origin)
			if tt.asks {
				p.is("preflight", []string{"x-auth-token"})
			}
			if tt.fails {
				p.is("secret", map[string]string{"failed": "Failed to fetch"})
				return
			}
			gave(t, backend, p.text("secret"))
			p.end()
			if got := firstRequest(t, backend).Header.Get("X-Auth-Token"); got != "token-of-the-app" {
				t.Errorf("the backend got the token %q", got)
			}
		})
	}
}

// The model, which comes as text/plain, decides which backend is asked.
func multiModel(s *samples) {
	t := s.T
	small, large := newBackend(t), newBackend(t)
	p := s.open(t, "multi-model-support", serve(t, anonymous,
		asBackend(small.URL(), "name small", "model default"), asBackend(large.URL(), "name large", "model gpt-large")))
	for _, want := range []struct {
		backend *sandbox.Server
		model   string
	}{{small, "default"}, {large, "gpt-large"}} {
		gave(t, want.backend, p.text("secret"))
		if body := string(firstRequest(t, want.backend).Body); !strings.Contains(body, `"model":"`+want.model+`"`) {
			t.Errorf("the backend got %s, want the model %s", body, want.model)
		}
	}
	p.end()
}

// The hook talks with the backend of its session, which sees its end.
func webSocket(s *samples) {
	t := s.T
	c := newChat(t)
	p := s.open(t, "websocket-connection", serve(t, anonymous, asBackend(c.URL)))
	p.is("secret", "session-123")
	c.next(t, "/api/sessions", "Bearer key-of-the-backend")
	c.next(t, "/ws/chat/session-123", "")
	if text, _ := received(t, c.texts); text != `{"type":"message","text":"Hello, wörld"}` {
		t.Errorf("the backend got %s", text)
	}
	p.is("message", map[string]string{"answer": "Hello yourself"})
	p.is("closed", nil)
	p.end()
	if text, open := received(t, c.texts); open {
		t.Errorf("the backend got %s, want an end", text)
	}
}

// The front end's own fallback still works, and has nothing to do where the
// product falls back.
func fallbackPattern(s *samples) {
	t := s.T
	const custom, chatkit = "/api/custom/session", "/api/chatkit/session"
	const alone = "session " + custom + " backend\nsession " + chatkit + " openai"
	alive, dead, openai := newBackend(t), newDeadBackend(t), newOpenAI(t)
	for _, tt := range []struct {
		name   string
		routes string
		first  *sandbox.Server
		serves *sandbox.Server
		calls  []string
	}{
		{"backend alone", alone, alive, alive, []string{custom + " 200"}},
		{"backend alone, dead", alone, dead, openai, []string{custom + " 502", chatkit + " 200"}},
		{"chain, backend dead", "", dead, openai, []string{custom + " 200"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := s.open(t, "fallback-pattern", serve(t, anonymous, tt.routes, asBackend(tt.first.URL()), asOpenAI(openai)))
			gave(t, tt.serves, p.text("secret"))
			p.is("calls", tt.calls)
			p.end()
		})
	}
}

// What the tips log is of use: the calls, the status, the answer, the session.
func debuggingTips(s *samples) {
	t := s.T
	backend := newBackend(t)
	p := s.open(t, "debugging-tips", serve(t, anonymous, asBackend(backend.URL())))
	var secret string
	lines := p.logged("secret", &secret)
	p.end()
	gave(t, backend, secret)
	for _, want := range []string{"[API] /api/custom/session", "Status: 200", "Session ID: " + secret} {
		if !slices.Contains(lines, want) {
			t.Errorf("not logged: %s in %q", want, lines)
		}
	}
	if !slices.ContainsFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "Response: ") && strings.Contains(line, "client_secret: 'session-")
	}) {
		t.Errorf("the answer is not logged: %q", lines)
	}
}
