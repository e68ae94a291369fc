package sendbird

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// hanging answers replies and then hangs until the client leaves.
func hanging(t *testing.T, replies []reply, hang http.HandlerFunc) *Sendbird {
	t.Helper()
	front := &server{replies: append(replies, good)}
	left := len(replies)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if left--; left >= 0 {
			front.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see the client leave
		hang(w, r)
	}))
	t.Cleanup(s.Close)
	return provision(t, s.URL, creating)
}

func untilGone(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func testHang(t *testing.T, replies []reply) {
	t.Helper()
	p := hanging(t, replies, untilGone)
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	_, err := p.Create(ctx, &session.Request{User: "u1"})
	if v := session.Classify(t.Context(), ctx, err, nil); v.Reason != session.Timeout || !v.Next {
		t.Errorf("got %+v, %v", v, err)
	}
}

// An error without its body: a 400 alone says nothing with Sendbird, but other
// statuses do.
func TestErrorBodyBreaksOff(t *testing.T) {
	cases := []struct {
		name   string
		status int
		hang   bool
		want   session.Reason
	}{
		{"400, cut", 400, false, session.Reset},
		{"400, hangs", 400, true, session.Timeout},
		{"500, cut", 500, false, session.Status5xx},
		{"429, hangs", 429, true, session.Status429},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := hanging(t, nil, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "100")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(`{"code":400201`))
				_ = http.NewResponseController(w).Flush()
				if c.hang {
					untilGone(w, r)
				}
				panic(http.ErrAbortHandler)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			_, err := p.Create(ctx, &session.Request{User: "u1"})
			if v := session.Classify(t.Context(), ctx, err, nil); v.Reason != c.want || !v.Next || v.Retry {
				t.Errorf("got %+v, %v", v, err)
			}
		})
	}
}
