package sendbird

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// reply is an answer of the server.
type reply struct {
	status int
	body   string
	header [2]string
}

// request is a request that the server received.
type request struct {
	method, uri, body string
	header            http.Header
}

// server simulates the Platform API. It sends its replies in order, and then
// repeats the last one.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	replies []reply
	asked   []request
}

func start(t *testing.T, replies ...reply) *server {
	t.Helper()
	s := &server{replies: replies}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.asked = append(s.asked, request{r.Method, r.RequestURI, string(body), r.Header})
	next := s.replies[0]
	if len(s.replies) > 1 {
		s.replies = s.replies[1:]
	}
	s.mu.Unlock()
	if next.header[0] != "" {
		w.Header().Set(next.header[0], next.header[1])
	}
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.body)
}

// paths returns the request targets so far.
func (s *server) paths() []string {
	out := make([]string, len(s.asked))
	for i, r := range s.asked {
		out[i] = r.uri
	}
	return out
}

// wantAsked checks which requests were made, and how many.
func (s *server) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	if got := s.paths(); !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
}

// provider calls s below path, with its settings modified by change.
func (s *server) provider(t *testing.T, path string, change func(*Sendbird)) *Sendbird {
	t.Helper()
	return provision(t, s.URL+path, change)
}

// provision returns a provider that is ready to use.
func provision(tb testing.TB, host string, change func(*Sendbird)) *Sendbird {
	tb.Helper()
	tb.Setenv("CHATKIT_TEST_TOKEN", "planted-token")
	s := &Sendbird{AppID: "APP-1", APIToken: "{env.CHATKIT_TEST_TOKEN}", Host: host}
	if change != nil {
		change(s)
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: tb.Context()})
	tb.Cleanup(cancel)
	if err := errors.Join(s.Provision(ctx), s.Validate()); err != nil {
		tb.Fatal(err)
	}
	return s
}

func creating(s *Sendbird) { s.CreateUsers = true }

// create requests a session like the chain: an unusable session is an error.
func create(t *testing.T, p *Sendbird, req session.Request) (session.Session, error) {
	t.Helper()
	s, err := p.Create(t.Context(), &req)
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

// Replies and paths that many tests use.
var (
	good      = reply{status: 200, body: `{"token":"tok-1","expires_at":32503680000000}`}
	notFound  = reply{status: 400, body: `{"message":"\"User\" not found.","code":400201,"error":true}`}
	userThere = reply{status: 400, body: `{"message":"unique constraint","code":400202,"error":true}`}
	userMade  = reply{status: 200, body: `{"user_id":"u1","nickname":"","is_active":true}`}
)

const (
	issuePath  = "/v3/users/u1/token"
	createPath = "/v3/users"
)
