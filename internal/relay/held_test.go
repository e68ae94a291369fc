package relay_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

var errLate = errors.New("late")

// An answer that is held keeps its permit until it is judged, once; and the request
// goes on behind its target with all of its body.
func TestHeldAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		judge  func(*relay.Response)
		effect session.Effect
		trail  []session.Reason
	}{
		"good":     {func(r *relay.Response) { r.Judge(session.OK, nil) }, okay, nil},
		"late":     {func(r *relay.Response) { r.Judge(session.FirstToken, errLate) }, failed, []session.Reason{session.FirstToken}},
		"canceled": {func(r *relay.Response) { r.Judge(session.Canceled, errLate) }, excluded, []session.Reason{session.Canceled}},
		"closed":   {func(*relay.Response) {}, excluded, []session.Reason{session.Canceled}},
		"twice": {func(r *relay.Response) {
			r.Judge(session.OK, nil)
			r.Judge(session.Reset, errLate)
		}, okay, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.Failover = relay.Any
			a, b := r.add("a"), r.add("b")
			a.sends, b.sends = []send{a.keeps(answers(200))}, []send{b.keeps(answers(200))}
			d := r.Open(relay.Request{Request: post(t.Context(), strings.NewReader("hello")), ID: "r1"}, r.targets)
			d.Hold(time.Second)
			defer d.Close()
			first, err := d.Next(t.Context())
			if err != nil || !d.More() || len(first.Trail.Steps) > 0 {
				t.Fatalf("got %v, more: %t", err, d.More())
			}
			if a.Permits != 1 || len(a.Effects) > 0 {
				t.Errorf("the permit came back with %v", a.Effects)
			}
			c.judge(first)
			_ = first.Body.Close()
			a.asked(c.effect)
			second, err := d.Next(t.Context())
			if err != nil || d.More() {
				t.Fatalf("got %v, more: %t", err, d.More())
			}
			if got := reasons(second.Trail); strings.Join(words(got), " ") != strings.Join(words(c.trail), " ") || b.bodies[0] != "hello" {
				t.Errorf("got %v, want %v, and the body %q", got, c.trail, b.bodies[0])
			}
			_, _ = io.Copy(io.Discard, second.Body)
			second.Judge(session.OK, nil)
			_ = second.Body.Close()
			b.asked(okay)
			if got, err := d.Next(t.Context()); got != nil || err == nil {
				t.Errorf("a third answered: %v", err)
			}
		})
	}
}

func words(reasons []session.Reason) (words []string) {
	for _, r := range reasons {
		words = append(words, string(r))
	}
	return words
}

// Where a policy does not allow it, nobody is asked behind an answer.
func TestNoMore(t *testing.T) {
	for _, policy := range []relay.Failover{relay.Safe, relay.Off, relay.Any} {
		r := newRig(t)
		r.Failover = policy
		r.add("a", answers(200))
		r.add("b", answers(200))
		d := r.Open(relay.Request{Request: post(t.Context(), strings.NewReader("hello")), ID: "r1"}, r.targets)
		got, err := d.Next(t.Context())
		if err != nil || d.More() != (policy == relay.Any) {
			t.Errorf("%s: got %v, more: %t", policy, err, d.More())
		}
		_ = got.Body.Close()
		d.Close()
	}
}
