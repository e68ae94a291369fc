package docs_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// root is the root of the repository.
const root = "../.."

// backendKey is what the example backends and the product share.
const backendKey = "key-of-the-backend"

// backends start the example backends. Each returns the process, which prints
// where it listens.
var backends = map[string]func(t *testing.T) *testsite.Process{
	"go": func(t *testing.T) *testsite.Process {
		t.Helper()
		return startBackend(t, ".", goBackend(t))
	},
	"fastapi": func(t *testing.T) *testsite.Process {
		t.Helper()
		python := testtools.Python(t, "fastapi", "uvicorn", "websockets")
		return startBackend(t, filepath.Join(root, "examples/backends/fastapi"), python, "-m", "uvicorn", "main:app", "--port", "0")
	},
	"express": func(t *testing.T) *testsite.Process {
		t.Helper()
		node := testtools.Node(t, "express", "ws")
		return startBackend(t, filepath.Join(root, "examples/backends/express"), node, "server.js")
	},
}

// goBackend builds the backend in Go, once, to a file of the binary's folder.
func goBackend(t *testing.T) (program string) {
	t.Helper()
	program, err := buildGoBackend()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

var buildGoBackend = sync.OnceValues(func() (program string, err error) {
	program = filepath.Join(filepath.Dir(testsite.Binary), "backend")
	build := exec.Command("go", "build", "-o", program, "./examples/backends/go")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
})

func startBackend(t *testing.T, dir string, args ...string) *testsite.Process {
	t.Helper()
	env := []string{"CUSTOM_BACKEND_KEY=" + backendKey, "PYTHONDONTWRITEBYTECODE=1", "PORT=" + testsite.FreePort(t)}
	return testsite.StartProgram(t, dir, env, args...)
}

// chatOf is a chatkit block before a backend.
func chatOf(url string) string {
	return `
	user {http.request.header.X-User}
	provider backend ` + url + ` {
		key ` + backendKey + `
		retries 0
	}`
}

// The three backends answer the same to whatever they are asked behind the product.
func TestExampleBackends(t *testing.T) {
	folders, err := os.ReadDir(filepath.Join(root, "examples/backends"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		t.Run(folder.Name(), func(t *testing.T) {
			start := backends[folder.Name()]
			if start == nil {
				t.Fatal("there is no test of it")
			}
			backend := start(t)
			url := backend.Await(t, `running on (http://127\.0\.0\.1:\d+)`)[1]
			s := testsite.New(t, chatOf(url))
			checkBackend(t, s)
			if a := testsite.Do(t, s.Client, http.MethodPost, url+"/api/sessions", `{"user_id":"alice"}`,
				"Authorization: Bearer another-key", "Content-Type: application/json"); a.Status != http.StatusUnauthorized {
				t.Errorf("with another key: got %d: %s", a.Status, a.Raw)
			}
			backend.Stop()
			s.Session("X-User: alice").Is(t, "502")
		})
	}
}

// checkBackend asks for a session, a message, a stream and a WebSocket.
func checkBackend(t *testing.T, s *testsite.Site) {
	t.Helper()
	session := s.Post("/api/custom/session", `{"model":"large","metadata":{"plan":"pro"}}`, "X-User: alice")
	session.Is(t, "200 backend")
	expires, _ := session.Body["expires_at"].(string)
	if at, err := time.Parse(time.RFC3339, expires); err != nil || time.Until(at).Round(time.Hour) != time.Hour {
		t.Errorf("the session expires at %q (%v), want in an hour", expires, err)
	}
	if session.Body["model"] != "large" || !strings.Contains(session.Raw, `"metadata":{"plan":"pro"}`) {
		t.Errorf("got %s", session.Raw)
	}
	show := "Authorization: Bearer " + session.Secret()
	const asked = `{"message":"Hello, wörld"}`

	message := s.Post("/api/custom/message", asked, show, "Content-Type: application/json")
	message.Is(t, "200 backend")
	if message.Body["reply"] != "alice said: Hello, wörld" {
		t.Errorf("the message got %s", message.Raw)
	}

	stream := s.Post("/api/custom/stream", asked, show, "Content-Type: application/json")
	stream.Is(t, "200 backend")
	const events = "data: {\"delta\":\"alice \"}\n\ndata: {\"delta\":\"said: \"}\n\ndata: {\"delta\":\"Hello, \"}\n\ndata: {\"delta\":\"wörld\"}\n\ndata: [DONE]\n\n"
	if got := strings.NewReplacer(`": "`, `":"`, `\u00f6`, "ö").Replace(stream.Raw); got != events {
		t.Errorf("the stream is %q", stream.Raw)
	}
	if got := stream.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("the stream's type is %q", got)
	}

	for _, path := range []string{"/api/custom/message", "/api/custom/stream"} {
		unknown := s.Post(path, asked, "Authorization: Bearer made-up", "Content-Type: application/json")
		unknown.Is(t, "401 backend")
	}
	checkSocket(t, s, session.Secret())
}

// checkSocket talks on a WebSocket, and opens none for a session that nobody has.
func checkSocket(t *testing.T, s *testsite.Site, secret string) {
	t.Helper()
	url := strings.Replace(s.URL, "http", "ws", 1) + "/api/ws/chat/"
	ws, err := websocket.Dial(url+secret, "", s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	for _, text := range []string{"Hello", "wörld"} {
		var got map[string]string
		if err := websocket.JSON.Send(ws, map[string]string{"message": text}); err != nil {
			t.Fatal(err)
		}
		if err := websocket.JSON.Receive(ws, &got); err != nil || got["reply"] != "alice said: "+text {
			t.Errorf("got %v and %v", got, err)
		}
	}
	if other, err := websocket.Dial(url+"made-up", "", s.URL); err == nil {
		var got string
		if err := websocket.Message.Receive(other, &got); err == nil {
			t.Errorf("a session that nobody has was told %s", got)
		}
		_ = other.Close()
	}
}
