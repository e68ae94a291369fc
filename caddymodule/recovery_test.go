package caddymodule_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// clinic is a backend with a health path. It counts who asks for what.
type clinic struct {
	URL      string
	sessions atomic.Int64
	checks   atomic.Int64
	streams  atomic.Int64
	dead     atomic.Bool  // sessions and streams fail
	says     atomic.Int64 // status of the health path
	last     atomic.Pointer[http.Request]
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	c := new(clinic)
	c.says.Store(http.StatusOK)
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

func (c *clinic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		c.last.Store(r)
		c.checks.Add(1)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(int(c.says.Load()))
		return
	case "/api/sessions":
		c.sessions.Add(1)
	default:
		c.streams.Add(1)
	}
	if c.dead.Load() {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprint(w, `{"session_id":"s_1"}`)
}

// inClinic is the block of a clinic and a second provider.
func (c *clinic) inClinic(options string) string {
	return "\n anonymous\n provider backend " + c.URL + " {\n key {env.TEST_BACKEND_KEY}\n retries 0\n breaker {\n consecutive 1\n open 300ms 300ms\n }\n " + options + "\n }" + openaiOnly
}

// A dead backend costs one request, however long it is dead: after that its health is
// asked, and the first session it gets is one that it can serve.
func TestHealthSparesUsers(t *testing.T) {
	s, c := newUnloadedSite(t), newClinic(t)
	c.dead.Store(true)
	c.says.Store(http.StatusServiceUnavailable)
	s.Load(c.inClinic("health /healthz?deep=1 100ms"))
	s.Session().Is(t, "200 openai status_5xx")
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		s.Session().Is(t, "200 openai open")
	}
	if sessions, checks := c.sessions.Load(), c.checks.Load(); sessions != 1 || checks < 8 || checks > 20 {
		t.Errorf("%d sessions and %d checks reached the backend", sessions, checks)
	}
	r := c.last.Load()
	if r.Method != http.MethodGet || r.URL.RawQuery != "deep=1" || r.Header.Get("Authorization") != "Bearer "+testsite.BackendKey || r.ContentLength != 0 {
		t.Errorf("the check was %s %s %v", r.Method, r.URL, r.Header)
	}
	if s.Metric(`health_checks_total{provider="backend",result="unhealthy"}`) == 0 {
		t.Error("the checks are not counted")
	}
	status := s.Get(s.Admin + "/chatkit/providers")
	if !strings.Contains(status, `"health":{"result":"unhealthy","status":503`) {
		t.Errorf("the status has no health: %s", status)
	}
	if n := len(s.Logged("caddy.log", "provider is not healthy")); n != 1 {
		t.Errorf("%d lines say that it is not healthy", n)
	}
	c.dead.Store(false)
	c.says.Store(http.StatusNoContent)
	s.Await(backendHalfOpen, 1)
	s.Session().Is(t, "200 backend")
	asked := c.checks.Load()
	time.Sleep(300 * time.Millisecond)
	if c.sessions.Load() != 2 || c.checks.Load() > asked+1 {
		t.Errorf("%d sessions; %d checks while closed", c.sessions.Load(), c.checks.Load()-asked)
	}
	for _, file := range []string{"caddy.log", "access.log"} {
		if lines := s.Logged(file, testsite.BackendKey); len(lines) > 0 {
			t.Errorf("%s has the key: %s", file, lines[0])
		}
	}
}

// A check that is wrong must not shut the backend out for ever, nor in silence.
func TestHealthMisconfigured(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusUnauthorized, http.StatusFound} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s, c := newUnloadedSite(t), newClinic(t)
			c.dead.Store(true)
			c.says.Store(int64(status))
			s.Load(c.inClinic("health /healthz 100ms"))
			s.Session().Is(t, "200 openai status_5xx")
			c.dead.Store(false)
			s.Await(backendHalfOpen, 1)
			s.Session().Is(t, "200 backend")
			if lines := s.Logged("caddy.log", "health check is misconfigured", `"level":"error"`, fmt.Sprint(`"status":`, status)); len(lines) != 1 {
				t.Errorf("%d lines", len(lines))
			}
			if s.Metric(`health_checks_total{provider="backend",result="misconfigured"}`) == 0 || c.streams.Load() != 0 {
				t.Error("not counted, or a redirect was followed")
			}
		})
	}
}

// A reload goes on with the check of the new configuration, a refused one changes
// nothing, and one without the provider ends it.
func TestHealthOverReloads(t *testing.T) {
	s, c := newUnloadedSite(t), newClinic(t)
	c.dead.Store(true)
	c.says.Store(http.StatusServiceUnavailable)
	block := c.inClinic("health /healthz 100ms")
	s.Load(block)
	s.Session().Is(t, "200 openai status_5xx")
	asks := func(want bool) {
		t.Helper()
		time.Sleep(150 * time.Millisecond) // what was under way
		before := c.checks.Load()
		time.Sleep(600 * time.Millisecond)
		if n := c.checks.Load() - before; (n > 3) != want || n > 9 {
			t.Errorf("%d checks in 600ms", n)
		}
	}
	asks(true)
	s.Load(block + "\n deadline 9s")
	asks(true)
	if err := s.TryLoadText(strings.Replace(s.Caddyfile(block), "respond", "file_server browse /nowhere/template\n respond", 1)); err == nil {
		t.Fatal("a wrong configuration was loaded")
	}
	asks(true)
	s.Session().Is(t, "200 openai open")
	s.Load(openaiOnly + "\n anonymous")
	asks(false)
	if c.sessions.Load() != 1 {
		t.Errorf("%d sessions", c.sessions.Load())
	}
}

// Nothing is left when Caddy stops while a check hangs.
func TestHealthLeavesNothingBehind(t *testing.T) {
	t.Cleanup(func() {
		stacks := func() string {
			all := make([]byte, 4<<20)
			return string(all[:runtime.Stack(all, true)])
		}
		for end := time.Now().Add(5 * time.Second); strings.Contains(stacks(), "breaker.(*checker)"); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("somebody still asks for the health")
			}
		}
	})
	hangs := make(chan struct{}, 100)
	url := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			hangs <- struct{}{}
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	})
	s := newSite(t, "\n anonymous\n provider backend "+url+" {\n retries 0\n timeout 1m\n health /healthz 100ms\n breaker {\n consecutive 1\n }\n }"+openaiOnly)
	s.Session()
	testsite.Receive(t, hangs)
}

// After a recovery the share grows, and nobody goes without a session.
func TestRampOfSessionsAndStreams(t *testing.T) {
	s, c := newUnloadedSite(t), newClinic(t)
	other := newClinic(t)
	c.dead.Store(true)
	s.Load(c.inClinic("ramp 1h") + "\n provider backend " + other.URL + " {\n name other\n }\n failover any")
	s.Session().Is(t, "200 openai status_5xx")
	c.dead.Store(false)
	s.Await(backendHalfOpen, 1)
	s.Session().Is(t, "200 backend")
	s.Await(`breaker_state{provider="backend",state="ramping"}`, 1)
	by := make(map[string]int)
	for range 40 {
		a := s.Session()
		by[a.Provider()+" "+a.Reason()]++
		a = s.Stream()
		by["stream "+a.Provider()+" "+a.Reason()]++
	}
	// Every tenth of both kinds together.
	if n := by["backend "] + by["stream backend "]; n != 8 || by["openai ramp"] != 40-by["backend "] || by["stream other ramp"] != 40-by["stream backend "] {
		t.Errorf("got %v", by)
	}
	status := s.Get(s.Admin + "/chatkit/providers")
	if !strings.Contains(status, `"state":"ramping"`) || !strings.Contains(status, `"ramp_share":0.1`) {
		t.Errorf("the status has no ramp: %s", status)
	}
	// The next ones are dead: all of it goes to the one that ramps up.
	s.OpenAI.Close()
	other.dead.Store(true)
	before := c.sessions.Load()
	for range 12 {
		if a := s.Session(); a.Status != http.StatusOK {
			t.Fatalf("got %d: %s", a.Status, a.Raw)
		}
		if a := s.Stream(); a.Status != http.StatusOK || a.Provider() != "backend" {
			t.Errorf("a stream got %d from %q", a.Status, a.Provider())
		}
	}
	if n := c.sessions.Load() - before; n < 10 {
		t.Errorf("the backend served %d of 12", n)
	}
}
