package chain_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

const planted = "sk-planted-marker"

// brokenError is an error that panics when it is looked at.
type brokenError struct{}

func (brokenError) Error() string { return planted }
func (brokenError) Unwrap() error { panic(planted) }

// A provider that panics, in whatever way, costs the attempt and no more: the
// permit comes back once, the next provider is asked, nothing is given away.
func TestRunOutlivesAPanic(t *testing.T) {
	var none map[string]int
	var nobody *session.Failure
	throws := func(v any) answer { return func(context.Context) (session.Session, error) { panic(v) } }
	returns := func(err error) answer {
		return func(context.Context) (session.Session, error) { return session.Session{Secret: planted}, err }
	}
	cases := map[string]answer{
		"text":             throws(planted),
		"error":            throws(errors.New(planted)),
		"secret":           throws(session.Secret(planted)),
		"failure":          throws(&session.Failure{Status: 503, Err: errors.New(planted)}),
		"nil":              throws(nil),
		"runtime error":    func(context.Context) (session.Session, error) { none[planted] = 1; return session.Session{}, nil },
		"nil dereference":  func(context.Context) (session.Session, error) { return session.Session{}, nobody.Err },
		"nil failure":      returns(nobody),
		"wrapped nil":      returns(fmt.Errorf("asking: %w", error(nobody))),
		"error that is no": returns(brokenError{}),
	}
	chaintest.Each(t, cases, func(t *testing.T, a answer) {
		r := newRig(t)
		first, second := r.add("a", a), r.add("b", answers(500))
		first.Retries = 3
		var told error
		third := r.add("c", gives("s3"))
		r.Targets[1].Provider = tell{second, func() { told = r.Err }}
		res := r.run(t.Context())
		served(t, res, "c", session.Misconfigured, session.Status5xx)
		first.asked(failed)
		second.asked(failed)
		third.asked(okay)
		if told == nil || strings.Contains(fmt.Sprintf("%v %+v", told, told), planted) {
			t.Errorf("the observer was told %v", told)
		}
	})
}

// tell looks around when its provider is asked.
type tell struct {
	*fake
	look func()
}

func (p tell) Create(ctx context.Context, req *session.Request) (session.Session, error) {
	p.look()
	return p.fake.Create(ctx, req)
}
