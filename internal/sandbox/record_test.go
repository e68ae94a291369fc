package sandbox_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

func TestRequestsAreRecorded(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			s, c := k.run(t, sandbox.Options{}), newClient(t)
			r := newRequest(t.Context(), t, s.URL()+k.path+"?a=1&b=%20", k.body)
			r.Host = "chat.example"
			r.Header.Set("X-Auth-Token", "tok")
			if got := do(c, r); got.status != 200 {
				t.Fatalf("status %d (%v)", got.status, got.err)
			}
			reqs := s.Requests()
			if len(reqs) != 1 {
				t.Fatalf("%d requests", len(reqs))
			}
			got := reqs[0]
			if got.Method != http.MethodPost || got.Path != k.path || got.Query != "a=1&b=%20" || got.Host != "chat.example" {
				t.Errorf("recorded %+v", got)
			}
			if string(got.Body) != k.body || got.Header.Get("X-Auth-Token") != "tok" || !near(got.At, time.Now()) {
				t.Errorf("recorded %+v", got)
			}
			got.Header.Set("X-Auth-Token", "changed")
			got.Body[0] = 'X'
			if again := s.Requests()[0]; again.Header.Get("X-Auth-Token") != "tok" || string(again.Body) != k.body {
				t.Error("the record can be changed from outside")
			}
		})
	}
}

func TestOrderAndClear(t *testing.T) {
	s, c := kinds[0].run(t, sandbox.Options{}), newClient(t)
	handedOut := make([]string, 3)
	for i := range handedOut {
		body := fmt.Sprintf(`{"user_id":"u%d"}`, i)
		o := do(c, newRequest(t.Context(), t, s.URL()+backendPath, body)).object(t)
		handedOut[i] = text(o["session_id"])
	}
	if reqs := s.Requests(); s.Calls() != 3 || len(reqs) != 3 || string(reqs[2].Body) != `{"user_id":"u2"}` {
		t.Errorf("calls %d, requests %v", s.Calls(), reqs)
	}
	if !slices.Equal(s.Issued(), handedOut) {
		t.Errorf("issued %v, handed out %v", s.Issued(), handedOut)
	}
	s.Clear()
	if s.Calls() != 0 || len(s.Requests()) != 0 || len(s.Issued()) != 0 {
		t.Error("something is left after Clear")
	}
}

func TestOnRequest(t *testing.T) {
	s, c := kinds[0].run(t, sandbox.Options{}), newClient(t)
	paths := make(chan string, 2)
	s.OnRequest(func(r *sandbox.Recorded) { paths <- r.Path })
	kinds[0].ask(t, c, s)
	if got := <-paths; got != backendPath {
		t.Errorf("hook saw %q", got)
	}
	s.OnRequest(nil)
	kinds[0].ask(t, c, s)
	if len(paths) != 0 || s.Calls() != 2 {
		t.Errorf("hook ran after it was cleared, or calls %d", s.Calls())
	}
}

func TestBodyLimit(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, k := range kinds {
		for _, known := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/length known %v", k.name, known), func(t *testing.T) {
				s, c := k.run(t, sandbox.Options{}), newClient(t)
				r := newRequest(t.Context(), t, s.URL()+k.path, `{"x":"`+long+`"}`)
				if !known {
					r.ContentLength = -1
				}
				if got := do(c, r); got.err == nil && got.status != 413 {
					t.Errorf("status %d", got.status)
				}
				if s.Calls() != 0 {
					t.Errorf("calls %d", s.Calls())
				}
				r = newRequest(t.Context(), t, s.URL()+k.path, k.body)
				r.ContentLength = -1
				wantSession(t, k, do(c, r))
			})
		}
	}
}
