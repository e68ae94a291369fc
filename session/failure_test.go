package session_test

import (
	"errors"
	"io"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestFailureError(t *testing.T) {
	cause := errors.New("cause")
	cases := []struct {
		name string
		f    session.Failure
		want string
	}{
		{"status", session.Failure{Status: 500}, "provider answered 500"},
		{"cause", session.Failure{Err: cause}, "cause"},
		{"both", session.Failure{Status: 400, Err: cause}, "provider answered 400: cause"},
		{"reason", session.Failure{Reason: session.Reset}, "reset"},
		{"cause beats reason", session.Failure{Reason: session.Reset, Err: cause}, "cause"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.f.Error(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if !errors.Is(&c.f, c.f.Err) && c.f.Err != nil {
				t.Error("the cause is not to be found")
			}
		})
	}
}

func TestInvalid(t *testing.T) {
	f := session.Invalid("reading %d: %w", 7, io.ErrUnexpectedEOF)
	if f.Reason != session.InvalidResponse || !f.Answered || f.Status != 0 {
		t.Errorf("got %+v", f)
	}
	if !errors.Is(f, io.ErrUnexpectedEOF) || f.Error() != "reading 7: unexpected EOF" {
		t.Errorf("got %v", f)
	}
}
