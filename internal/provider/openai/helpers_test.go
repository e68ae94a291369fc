package openai_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/provider/openai"
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

// provider calls s below path, with its config modified by change.
func (s *server) provider(t *testing.T, path string, change func(*openai.Config)) *openai.OpenAI {
	t.Helper()
	u, err := url.Parse(s.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	c := openai.Config{BaseURL: u, Key: "sk-1", Workflow: "wf_1", Transport: tr}
	if change != nil {
		change(&c)
	}
	return openai.New(c)
}

// create requests a session like the chain: an unusable session is an error.
func create(t *testing.T, o *openai.OpenAI, req session.Request) (session.Session, error) {
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
