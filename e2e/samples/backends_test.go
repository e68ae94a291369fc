package samples_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

func newBackend(t *testing.T) *sandbox.Server {
	t.Helper()
	return testsite.StandIn(t, sandbox.NewBackend, sandbox.Options{Key: "key-of-the-backend"})
}

// newDeadBackend is one that refuses connections.
func newDeadBackend(t *testing.T) *sandbox.Server {
	t.Helper()
	s := newBackend(t)
	testsite.Set(t, s, sandbox.Refuse)
	return s
}

func newOpenAI(t *testing.T) *sandbox.Server {
	t.Helper()
	return testsite.StandIn(t, sandbox.NewOpenAI, sandbox.Options{Key: "sk-test"})
}

// asBackend are the lines of a provider that asks a backend at most once per request.
func asBackend(url string, more ...string) string {
	return fmt.Sprintf("provider backend %s {\nkey key-of-the-backend\nretries 0\n%s\n}", url, strings.Join(more, "\n"))
}

func asOpenAI(s *sandbox.Server) string {
	return fmt.Sprintf("provider openai {\nkey sk-test\nworkflow wf_test\nbase_url %s/v1\n}", s.URL())
}

// firstRequest is the first request that a stand-in was asked.
func firstRequest(t *testing.T, s *sandbox.Server) sandbox.Recorded {
	t.Helper()
	all := s.Requests()
	if len(all) == 0 {
		t.Fatal("the stand-in was asked nothing")
	}
	return all[0]
}

// gave checks that a stand-in has handed out a secret.
func gave(t *testing.T, s *sandbox.Server, secret string) {
	t.Helper()
	if secret == "" || !slices.Contains(s.Issued(), secret) {
		t.Errorf("%q is not among those handed out, %q", secret, s.Issued())
	}
}

// chat is a backend that also talks: it streams what the test tells it to, sends
// messages back, and answers on WebSockets.
type chat struct {
	*httptest.Server
	session map[string]any // its answer to a session request
	stream  chan string    // the events of the stream; closed, it ends
	asked   chan request   // what came
	texts   chan string    // what came over a WebSocket; closed with it
}

// request is what the tests look at of one.
type request struct{ path, authorization, body string }

func newChat(t *testing.T) *chat {
	t.Helper()
	c := &chat{
		session: map[string]any{"session_id": "session-123"},
		stream:  make(chan string), asked: make(chan request, 20), texts: make(chan string, 20),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/sessions", c.create)
	mux.HandleFunc("POST /api/chat", c.echo)
	mux.HandleFunc("POST /api/chat/stream", c.events)
	mux.Handle("GET /ws/chat/{session}", websocket.Server{Handler: c.talk})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

// note keeps what was asked.
func (c *chat) note(r *http.Request) (body string) {
	b, _ := io.ReadAll(r.Body)
	c.asked <- request{r.URL.Path, r.Header.Get("Authorization"), string(b)}
	return string(b)
}

func (c *chat) create(w http.ResponseWriter, r *http.Request) {
	c.note(r)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c.session)
}

func (c *chat) echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, c.note(r))
}

func (c *chat) events(w http.ResponseWriter, r *http.Request) {
	c.note(r)
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case text, more := <-c.stream:
			if !more {
				return
			}
			_, _ = io.WriteString(w, event(text))
		}
	}
}

func event(text string) string { return "data: " + text + "\n\n" }

func (c *chat) talk(ws *websocket.Conn) {
	c.asked <- request{path: ws.Request().URL.Path}
	defer close(c.texts)
	for {
		var text string
		if websocket.Message.Receive(ws, &text) != nil {
			return
		}
		c.texts <- text
		if websocket.JSON.Send(ws, map[string]string{"answer": "Hello yourself"}) != nil {
			return
		}
	}
}

// received is the next value of a channel.
func received[T any](t *testing.T, from <-chan T) (v T, open bool) {
	t.Helper()
	select {
	case v, open = <-from:
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
	}
	return v, open
}

// next checks what the backend was asked next.
func (c *chat) next(t *testing.T, path, authorization string) (body string) {
	t.Helper()
	got, _ := received(t, c.asked)
	if got.path != path || got.authorization != authorization {
		t.Errorf("the backend was asked %+v, want %s by %q", got, path, authorization)
	}
	return got.body
}
