package caddymodule_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

func TestSendbirdCreatesUsers(t *testing.T) {
	s := newSendbirdSite(t, sendbirdOnly("create_users"))
	for range 2 {
		if a := s.as("new"); a.Status != http.StatusOK || a.Body["user_id"] != "new" {
			t.Fatalf("got %d: %s", a.Status, a.Raw)
		}
	}
	const issue = "/v3/users/new/token"
	if got := s.asked(); !slices.Equal(got, []string{issue, "/v3/users", issue, issue}) {
		t.Errorf("asked %q", got)
	}
}

// Many requests of one new user at once: one creates it, the others learn that
// it is there, and all are served.
func TestSendbirdCreatesUsersOnce(t *testing.T) {
	const n = 20
	s := newSendbirdSite(t, strings.Replace(sendbirdOnly("create_users"), "timeout 1s", "timeout 20s\n\t\tbreaker {\n consecutive 1\n }", 1)+"\n deadline 30s")
	var creating atomic.Int32
	all := make(chan struct{}) // closed when everybody has learned that it is unknown
	s.Sendbird.OnRequest(func(r *sandbox.Recorded) {
		if r.Path != "/v3/users" {
			return
		}
		if creating.Add(1) == n {
			close(all)
		}
		<-all
	})
	errs := make(chan error, n)
	for range n {
		go func() {
			a, err := s.Try(http.MethodPost, "/api/custom/session", "", "X-User: new")
			if err == nil && (a.Status != http.StatusOK || a.Body["user_id"] != "new") {
				err = fmt.Errorf("got %d: %s", a.Status, a.Raw)
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	created := slices.DeleteFunc(s.asked(), func(path string) bool { return path != "/v3/users" })
	if len(created) != n || s.Sendbird.Calls() != 3*n || s.Metric(sendbirdClosed) != 1 {
		t.Errorf("%d requests, %d of them to create, want %d and %d", s.Sendbird.Calls(), len(created), 3*n, n)
	}
}

// Whatever a user is called, Sendbird is asked for that user.
func TestSendbirdUserIDs(t *testing.T) {
	users := []string{
		"ann@example.com", "a/b", "a b", "Jürgen Größe 😀", "a%2Fb", "%", "..", ".", "../../admin", "a?b=c#d",
		"{env.TEST_SENDBIRD_TOKEN}", strings.Repeat("ü", 80), "a+b", `a\b`, "a;b,c",
	}
	s := newSendbirdSite(t, sendbirdOnly("create_users"))
	for _, user := range users {
		t.Run(user, func(t *testing.T) {
			s.Sendbird.Clear()
			a := s.as(user)
			if a.Status != http.StatusOK || a.Body["user_id"] != user {
				t.Fatalf("got %d: %s", a.Status, a.Raw)
			}
			got := s.asked()
			if len(got) != 3 || got[0] != got[2] || got[1] != "/v3/users" {
				t.Fatalf("asked %q", got)
			}
			parts := strings.Split(got[0], "/")
			if len(parts) != 5 || parts[3] == "." || parts[3] == ".." {
				t.Fatalf("asked %q", got[0])
			}
			if id, err := url.PathUnescape(parts[3]); err != nil || id != user {
				t.Errorf("asked for %q, %v", id, err)
			}
		})
	}
}
