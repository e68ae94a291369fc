package samples_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// route is the app's own session route, running in Node.
func route(t *testing.T, s *samples, backend, key string) (url string) {
	t.Helper()
	var port int
	s.open(t, "session-endpoint-template", nil, "CUSTOM_BACKEND_URL="+backend, "CUSTOM_BACKEND_KEY="+key).next("port", &port)
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

// byHeader are the users of the route.
const byHeader = "user {http.request.header.X-User}"

// The product asks the backend for the same as the app's own route does and
// gives the front end the same; it can stand before the route as well.
func sessionEndpoint(s *samples) {
	t := s.T
	const path = "/api/custom/session"
	backend := newBackend(t)
	app := &site{URL: route(t, s, backend.URL(), "key-of-the-backend")}
	instead := serve(t, byHeader, asBackend(backend.URL()))

	t.Run("instead", func(t *testing.T) { sameRoute(t, backend, app, instead) })
	t.Run("no user", func(t *testing.T) {
		for name, to := range map[string]*site{"route": app, "product": instead} {
			a := to.ask(t, http.MethodPost, path, "")
			if a.Status != http.StatusUnauthorized || a.Body["error"] != "Unauthorized" {
				t.Errorf("%s: %d %s", name, a.Status, a.Raw)
			}
		}
	})
	t.Run("before", func(t *testing.T) {
		before := serve(t, byHeader, asBackend(app.URL, "session_path "+path, "forward_headers X-User"))
		a := before.ask(t, http.MethodPost, path, "", "X-User: USER_ID")
		gave(t, backend, a.Secret())
	})
	// The route does not work with the product as its backend: it reads
	// session_id, and the product answers front ends, not routes like itself.
	t.Run("behind", func(t *testing.T) {
		behind := serve(t, anonymous, "session /api/sessions", asBackend(backend.URL()))
		a := (&site{URL: route(t, s, behind.URL, "any")}).ask(t, http.MethodPost, path, "", "X-User: USER_ID")
		if a.Status != http.StatusOK || a.Body == nil || len(a.Body) != 0 {
			t.Errorf("%d %s, want an answer without a secret", a.Status, a.Raw)
		}
	})
}

// sameRoute holds what the product does against what the app's own route does.
func sameRoute(t *testing.T, backend *sandbox.Server, app, product *site) {
	t.Helper()
	for _, to := range []*site{app, product} {
		a := to.ask(t, http.MethodPost, "/api/custom/session", "", "X-User: USER_ID")
		if a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Raw)
		}
		gave(t, backend, a.Secret())
	}
	asked := backend.Requests()
	if len(asked) != 2 {
		t.Fatalf("the backend was asked %d times, want twice", len(asked))
	}
	theirs, ours := asked[0], asked[1]
	for _, pair := range [][2]string{
		{theirs.Method, ours.Method}, {theirs.Path, ours.Path}, {theirs.Query, ours.Query}, {string(theirs.Body), string(ours.Body)},
		{theirs.Header.Get("Authorization"), ours.Header.Get("Authorization")},
		{theirs.Header.Get("Content-Type"), ours.Header.Get("Content-Type")},
	} {
		if pair[0] != pair[1] {
			t.Errorf("the route sends %q, the product %q", pair[0], pair[1])
		}
	}
}

// file writes a sample to a file of that name in a directory of its own.
func (s *samples) file(t *testing.T, title, name string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(s.code[title]), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// served checks who has served a session, and why.
func served(t *testing.T, a testsite.Answer, by string) {
	t.Helper()
	a.Is(t, "200 "+by)
	if a.Secret() == "" {
		t.Errorf("%s holds no session", a.Raw)
	}
}

// A FastAPI backend that takes the user from the query and answers an end that
// is over serves with the two options made for that, which are both needed; when
// it is gone, OpenAI does.
func fastAPI(s *samples) {
	t := s.T
	python := testtools.Python(t, "fastapi", "uvicorn")
	dir := s.file(t, "Backend FastAPI Session", "main.py")
	backend := testsite.StartProgram(t, dir, []string{"PYTHONDONTWRITEBYTECODE=1"},
		python, "-m", "uvicorn", "main:app", "--host", "127.0.0.1", "--port", "0")
	url, openai := backend.Await(t, running)[1], asOpenAI(newOpenAI(t))

	both := serve(t, anonymous, asBackend(url, "user_in query", "ignore_expiry"), openai)
	a := create(t, both)
	served(t, a, "backend")
	if end, has := a.Body["expires_at"]; has {
		t.Errorf("the end %v is passed on", end)
	}
	if a := create(t, serve(t, anonymous, asBackend(url), openai)); a.Status != http.StatusUnprocessableEntity ||
		a.Body["code"] != "REJECTED" {
		t.Errorf("without user_in: %d %s", a.Status, a.Raw)
	}
	served(t, create(t, serve(t, anonymous, asBackend(url, "user_in query"), openai)), "openai invalid_response")
	backend.Stop()
	served(t, create(t, both), "openai dial")
}

func create(t *testing.T, to *site) testsite.Answer {
	t.Helper()
	return to.ask(t, http.MethodPost, "/api/custom/session", "")
}

// An Express backend needs no options; when it is gone, OpenAI serves.
func express(s *samples) {
	t := s.T
	node := testtools.Node(t, "express")
	file := filepath.Join(s.file(t, "Backend Express Session", "sample.js"), "sample.js")
	backend := testsite.StartProgram(t, "testdata/harness", nil, node, "express.cjs", file)

	to := serve(t, anonymous, asBackend(backend.Await(t, running)[1]), asOpenAI(newOpenAI(t)))
	a := create(t, to)
	served(t, a, "backend")
	text, _ := a.Body["expires_at"].(string)
	if at, err := time.Parse(time.RFC3339, text); err != nil || at.Before(time.Now()) || at.After(time.Now().Add(time.Hour)) {
		t.Errorf("ends at %q (%v), want a time of the next hour", text, err)
	}
	backend.Stop()
	served(t, create(t, to), "openai dial")
}

// The test command prints a session.
func testEndpoint(s *samples) {
	t := s.T
	testtools.Program(t, "curl")
	backend := newBackend(t)
	to := serve(t, anonymous, asBackend(backend.URL()))
	out := testtools.Output(t, "", testtools.Program(t, "bash"), "-c", to.at(s.code["Test Endpoint"]))
	var got struct {
		ClientSecret string `json:"client_secret"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	gave(t, backend, got.ClientSecret)
}

var variable = regexp.MustCompile(`(?m)^(\w+)=(.*)$`)

// The shipped Caddyfile takes its backend from the variables of these names,
// and is to be reached where front ends are told.
func environment(s *samples) {
	t := s.T
	text := s.code["Environment Variables"]
	values := make(map[string]string)
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		values[m[1]] = m[2]
	}
	key, addr := values["CUSTOM_BACKEND_KEY"], testsite.FreeAddr(t)
	backend := testsite.StandIn(t, sandbox.NewBackend, sandbox.Options{Key: key})
	for name, url := range map[string]string{"CUSTOM_BACKEND_URL": backend.URL(), "NEXT_PUBLIC_API_URL": "http://" + addr} {
		if values[name] == "" {
			t.Fatalf("%s is not among the variables", name)
		}
		text = strings.Replace(text, values[name], url, 1)
	}
	others := []string{"CADDY_ADMIN=" + testsite.FreeAddr(t), "OPENAI_API_KEY=sk-test", "CHATKIT_WORKFLOW_ID=wf_test"}
	to := listening(t, addr, others, testtools.Program(t, "bash"), "-c",
		"set -a\n"+text+"\nSITE_ADDRESS=$NEXT_PUBLIC_API_URL exec \"$@\"", "bash",
		testsite.Binary, "run", "--adapter", "caddyfile", "--config", filepath.Join(root, "Caddyfile"))
	served(t, create(t, to), "backend")
	if got := firstRequest(t, backend).Header.Get("Authorization"); key == "" || got != "Bearer "+key {
		t.Errorf("the backend was asked by %q, want the key %q", got, key)
	}
}
