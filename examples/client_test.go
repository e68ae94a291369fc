package examples_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// answer is what a client gets.
type answer struct {
	Status int
	Header http.Header
	Raw    string
	Body   map[string]any // nil where it is no JSON object
}

// session asks for a session; headers are "Name: value".
func (s *site) session(headers ...string) answer {
	s.t.Helper()
	return s.do(http.MethodPost, "/api/custom/session", "", headers...)
}

func (s *site) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{Status: resp.StatusCode, Header: resp.Header, Raw: string(raw)}
	_ = json.Unmarshal(raw, &a.Body)
	return a
}

// is checks an answer by its status, the provider that gave it and, of a
// fallback, the reason.
func (a answer) is(t *testing.T, want string) {
	t.Helper()
	got := fmt.Sprint(a.Status, " ", a.Header.Get("X-ChatKit-Provider"), " ", a.Header.Get("X-ChatKit-Fallback-Reason"))
	if got = strings.TrimSpace(got); got != want {
		t.Errorf("got %q, want %q: %s", got, want, a.Raw)
	}
}

// sent is the body of the last request to a stand-in.
func sent(t *testing.T, s *sandbox.Server) (body map[string]any) {
	t.Helper()
	all := s.Requests()
	if len(all) == 0 {
		t.Fatal("it was not asked")
	}
	if err := json.Unmarshal(all[len(all)-1].Body, &body); err != nil {
		t.Fatal(err)
	}
	return body
}
