package openai

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// server simulates the API and keeps the last request.
type server struct {
	*httptest.Server
	asked  int
	req    *http.Request
	body   []byte
	status int
	answer string
}

func start(t *testing.T, answer string) *server {
	t.Helper()
	s := &server{status: http.StatusOK, answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked++
		s.req = r
		s.body, _ = io.ReadAll(r.Body)
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, s.answer)
	}))
	t.Cleanup(s.Close)
	return s
}

// provider calls s below path, with its settings modified by change.
func (s *server) provider(t *testing.T, path string, change func(*OpenAI)) *OpenAI {
	t.Helper()
	return provision(t, s.URL+path, change)
}

// provision returns a provider that is ready to use.
func provision(tb testing.TB, baseURL string, change func(*OpenAI)) *OpenAI {
	tb.Helper()
	tb.Setenv("CHATKIT_TEST_KEY", "sk-1")
	o := &OpenAI{BaseURL: baseURL, Key: "{env.CHATKIT_TEST_KEY}", Workflow: "wf_1"}
	if change != nil {
		change(o)
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: tb.Context()})
	tb.Cleanup(cancel)
	if err := errors.Join(o.Provision(ctx), o.Validate()); err != nil {
		tb.Fatal(err)
	}
	return o
}

// create requests a session like the chain: an unusable session is an error.
func create(t *testing.T, o *OpenAI, req session.Request) (session.Session, error) {
	t.Helper()
	s, err := o.Create(t.Context(), &req)
	if err == nil {
		err = s.Check(time.Now())
	}
	return s, err
}

func verdict(t *testing.T, err error) session.Verdict {
	t.Helper()
	if err == nil {
		t.Fatal("it worked")
	}
	if _, ok := errors.AsType[*session.Failure](err); !ok {
		t.Errorf("got %v (%T), want a failure", err, err)
	}
	return session.Classify(t.Context(), t.Context(), err, nil)
}

const good = `{"client_secret":"ek_1","expires_at":32503680000}`
