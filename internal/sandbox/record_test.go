package sandbox_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

func TestRequestsAreRecorded(t *testing.T) {
	s, c := backend.run(t, testKey), newClient(t)
	paths := make(chan string, 2)
	s.OnRequest(func(r *sandbox.Recorded) { paths <- r.Path })
	backend.ask(t, c, s)
	s.OnRequest(nil)
	r := newRequest(t, s.URL()+backendPath+"?a=1&b=%20", backendBody, "X-Auth-Token: tok")
	r.Host = "chat.example"
	do(c, r)
	if len(paths) != 1 || <-paths != backendPath {
		t.Error("the hook did not see exactly the first request")
	}
	got := s.Requests()[1]
	if got.Method != r.Method || got.Path != backendPath || got.Query != "a=1&b=%20" || got.Host != "chat.example" ||
		string(got.Body) != backendBody || got.Header.Get("X-Auth-Token") != "tok" {
		t.Errorf("recorded %+v", got)
	}
	got.Header.Set("X-Auth-Token", "changed")
	got.Body[0] = 'X'
	if again := s.Requests()[1]; again.Header.Get("X-Auth-Token") != "tok" || string(again.Body) != backendBody {
		t.Error("the record can be changed from outside")
	}
}

// The server keeps the last 1000 requests and secrets, in their order.
func TestOrderAndClear(t *testing.T) {
	s, c := backend.run(t, testKey), newClient(t)
	secrets := make([]string, 1002)
	for i := range secrets {
		r := newRequest(t, s.URL()+backendPath, fmt.Sprintf(`{"user_id":"u%d"}`, i))
		secrets[i] = text(do(c, r).object(t)["session_id"])
	}
	reqs := s.Requests()
	if s.Calls() != 1002 || len(reqs) != 1000 || string(reqs[0].Body) != `{"user_id":"u2"}` || string(reqs[999].Body) != `{"user_id":"u1001"}` {
		t.Errorf("calls %d, %d requests, first %s", s.Calls(), len(reqs), reqs[0].Body)
	}
	if !slices.Equal(s.Issued(), secrets[2:]) {
		t.Errorf("issued %d secrets, or in another order", len(s.Issued()))
	}
	if s.Clear(); s.Calls() != 0 || len(s.Requests()) != 0 || len(s.Issued()) != 0 {
		t.Error("something is left after Clear")
	}
}
