package caddymodule_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// A hung model: the next backend answers, in order and nothing twice, and the
// breaker of the first counts it. With nowhere to go the turn ends with an event.
func TestFirstToken(t *testing.T) {
	const limit = 300 * time.Millisecond
	late := `attempts_total{provider="a",result="first_token"}`
	for name, tt := range map[string]struct {
		options string
		first   http.HandlerFunc
		want    string
		failed  float64
		second  int
	}{
		"any":           {"failover any", hangs(lead), wholeTurn, 1, 1},
		"safe":          {"failover safe", hangs(lead), lead + retryEvent, 1, 0},
		"no header":     {"failover any", hangs(""), wholeTurn, 0, 1},
		"cut first":     {"failover any", aborts(lead), wholeTurn, 0, 1},
		"content":       {"failover any", tells(wholeTurn), wholeTurn, 0, 0},
		"error event":   {"failover any", tells(lead + retryEvent), lead + retryEvent, 0, 0},
		"cut later":     {"failover any", aborts(lead + addedFrame), lead + addedFrame + retryEvent, 0, 0},
		"refused":       {"failover any", says(404, "a"), "a", 0, 0},
		"comments only": {"failover any", hangs(": ping\n\n"), wholeTurn, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			a, b := testsite.NewTaker(t, tt.first), testsite.NewTaker(t, tells(wholeTurn))
			s.Load(testsite.Backends(fmt.Sprintf("%s\n chatkit /chatkit {\n first_token %s\n }", tt.options, limit), a.URL+neverOpen, b.URL))
			before := s.Metric(late)
			got := s.Post("/chatkit", createBody, frameOne)
			if got.Raw != tt.want || got.Took > 10*limit {
				t.Errorf("got %q after %s", got.Raw, got.Took)
			}
			if len(a.Received()) != 1 || len(b.Received()) != tt.second {
				t.Errorf("the backends were asked %d and %d times", len(a.Received()), len(b.Received()))
			}
			s.Await(late, before+tt.failed)
			if tt.second == 1 && (got.Provider() != "b" || b.Only(t).Text != createBody) {
				t.Errorf("%s answered %q", got.Provider(), b.Only(t).Text)
			}
			if tt.second == 1 && tt.failed == 1 && got.Reason() != "first_token" {
				t.Errorf("the reason is %q", got.Reason())
			}
		})
	}
}

// It opens the breaker as any failure does.
func TestFirstTokenOpensTheBreaker(t *testing.T) {
	s := newUnloadedSite(t)
	a := testsite.NewTaker(t, hangs(lead))
	s.Load(testsite.Backends("chatkit /chatkit {\n first_token 100ms\n }", a.URL+"\n breaker {\n consecutive 1\n }"))
	s.Post("/chatkit", createBody).Is(t, "200 a")
	s.Await(`breaker_state{provider="a",state="open"}`, 1)
	if got := s.Post("/chatkit", createBody); got.Raw != errorEvent || len(a.Received()) != 1 {
		t.Errorf("got %q after %d calls", got.Raw, len(a.Received()))
	}
}

// Over the limits the answer is an event that says so; a reload does not give new
// tokens.
func TestTurnLimits(t *testing.T) {
	t.Run("turns", func(t *testing.T) {
		s := newUnloadedSite(t)
		b := testsite.NewTaker(t, tells(wholeTurn))
		load := func() { s.Load(testsite.Backends("chatkit /chatkit {\n turns 2 1h\n }", b.URL)) }
		load()
		s.persistent()
		refused := s.Metric(`turns_refused_total{limit="turns"}`)
		for i := range 4 {
			got := s.Post("/chatkit", createBody, frameOne)
			if ok := got.Raw == wholeTurn; got.Status != 200 || ok != (i < 2) || !ok && !strings.Contains(got.Raw, `"allow_retry":false`) {
				t.Errorf("turn %d: got %d %q", i, got.Status, got.Raw)
			}
			load()
		}
		if s.Post("/chatkit", `{"type":"threads.list"}`).Raw != wholeTurn || len(b.Received()) != 3 {
			t.Errorf("the backend was called %d times", len(b.Received()))
		}
		s.Await(`turns_refused_total{limit="turns"}`, refused+2)
	})
	t.Run("parallel", func(t *testing.T) {
		s := newUnloadedSite(t)
		b := newChat(t, tenFrames())
		s.Load(testsite.Backends("chatkit /chatkit {\n parallel 1\n }", b.URL))
		one := s.turn(s.Client, frameOne)
		if got := s.Post("/chatkit", createBody, frameTwo).Raw; !strings.Contains(got, "Another answer is still being written") {
			t.Errorf("got %q", got)
		}
		same := s.turn(s.Client, frameOne) // no turn of its own
		close(b.next)
		if got := one.rest() + same.rest(); got != strings.Repeat(strings.Join(tenFrames(), ""), 2) {
			t.Errorf("got %q", got)
		}
	})
}

// Whose a thread is, is learned from answers to turns, and checked on every request.
func TestThreadOwner(t *testing.T) {
	const warning = "a request is in a thread that another caller has created"
	getBody := `{"type":"threads.get_by_id","params":{"thread_id":"thr_1"}}`
	as := func(user string) string { return "X-User: " + user }
	for mode, tt := range map[string]struct{ turn, get string }{
		"off": {wholeTurn, wholeTurn}, "log": {wholeTurn, wholeTurn}, "enforce": {noThread, "404"},
	} {
		t.Run(mode, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := testsite.NewTaker(t, tells(wholeTurn))
			s.Load(testsite.Backends("user {http.request.header.X-User}\n chatkit /chatkit {\n thread_owner "+mode+"\n }", b.URL))
			if got := s.Post("/chatkit", createBody, as("alice")); got.Raw != wholeTurn {
				t.Fatalf("got %q", got.Raw)
			}
			if got := s.Post("/chatkit", addBody, as("alice")); got.Raw != wholeTurn {
				t.Errorf("the owner got %q", got.Raw)
			}
			if got := s.Post("/chatkit", addBody, as("bob")); got.Raw != tt.turn || got.Status != 200 {
				t.Errorf("got %d %q, want %q", got.Status, got.Raw, tt.turn)
			}
			got := s.Post("/chatkit", getBody, as("bob"))
			if got.Raw != tt.get && (tt.get != "404" || got.Status != 404 || got.Body["code"] != "NOT_FOUND") {
				t.Errorf("got %d %q, want %q", got.Status, got.Raw, tt.get)
			}
			if lines := s.Logged("caddy.log", warning); (len(lines) > 0) != (mode != "off") || mode != "off" && strings.Contains(lines[0], "thr_1") {
				t.Errorf("the log has %q", lines)
			}
			want := map[string]int{"off": 4, "log": 4, "enforce": 2}[mode]
			if len(b.Received()) != want {
				t.Errorf("the backend was called %d times, want %d", len(b.Received()), want)
			}
		})
	}
}

// Where the owner is enforced nothing passes that could be read in another way.
func TestThreadOwnerOfUnclearRequests(t *testing.T) {
	s := newUnloadedSite(t)
	b := testsite.NewTaker(t, nil)
	s.Load(testsite.Backends("buffer 64KiB\n chatkit /chatkit {\n thread_owner enforce\n }", b.URL))
	for body, want := range map[string]int{
		`{"type":"threads.get_by_id","params":{"thread_id":"thr_1","thread_id":"thr_2"}}`:                    400,
		`{"type":"input.transcribe","pad":"` + pattern(100<<10) + `","type":"threads.delete"}`:               413,
		`{"type":"threads.create","pad":"` + pattern(100<<10) + `","params":{"thread_id":"thr_1"},"type":1}`: 200,
	} {
		got := s.Post("/chatkit", body)
		if got.Status != want || want == 200 && !strings.Contains(got.Raw, `"allow_retry":false`) {
			t.Errorf("%.60s: got %d %q, want %d", body, got.Status, got.Raw, want)
		}
	}
	if len(b.Received()) != 0 {
		t.Errorf("the backend was called %d times", len(b.Received()))
	}
}
