package relay_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestFailedError(t *testing.T) {
	step := func(name string, reason session.Reason) chain.Step {
		return chain.Step{Target: &chain.Target{Name: name}, Verdict: session.Verdict{Reason: reason}}
	}
	cases := []struct {
		name  string
		trail []chain.Step
		want  string
	}{
		{"no targets", nil, "no backend to carry the request to"},
		{"one", []chain.Step{step("a", session.Dial)}, "a: dial"},
		{"the last of them", []chain.Step{step("a", session.Dial), step("b", session.Open)}, "b: open"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := relay.Failed{Trail: chain.Trail{Steps: c.trail}}
			if got := f.Error(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCarryWithoutTargets(t *testing.T) {
	r := newRig(t)
	if f := r.failed(nil); f.Steps != nil || f.RetryIn != 0 || string(f.Body) != "hello" {
		t.Errorf("got %+v", f)
	}
	r.saw()
}

func TestFailedRetryIn(t *testing.T) {
	cases := []struct {
		name  string
		waits []time.Duration
		want  time.Duration
	}{
		{"one", []time.Duration{7 * time.Second}, 7 * time.Second},
		{"the shortest, first", []time.Duration{4 * time.Second, 9 * time.Second}, 4 * time.Second},
		{"the shortest, last", []time.Duration{9 * time.Second, 4 * time.Second}, 4 * time.Second},
		{"a probe is under way at the first", []time.Duration{0, 9 * time.Second}, 0},
		{"a probe is under way at the last", []time.Duration{9 * time.Second, 0}, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			for _, d := range c.waits {
				f := r.add("f", answers(200))
				f.refusal, f.retryIn = session.Open, d
			}
			if f := r.failed(nil); f.RetryIn != c.want || len(f.Steps) != len(c.waits) {
				t.Errorf("got %+v, want retry in %s", f, c.want)
			}
		})
	}
}

// Only targets that were skipped have a time at which they may be asked.
func TestFailedRetryInOfATargetThatWasAsked(t *testing.T) {
	r := newRig(t)
	a, b := r.add("a", answers(503)), r.add("b", answers(200))
	a.retryIn, b.retryIn, b.refusal = time.Second, 9*time.Second, session.Cooldown
	if f := r.failed(nil); f.RetryIn != 9*time.Second {
		t.Errorf("retry in %s", f.RetryIn)
	}
}

func TestTrail(t *testing.T) {
	sends := map[string]send{
		"dial": breaksOff(errDial), "500": answers(500), "503": answers(503), "200": answers(200),
	}
	cases := []struct {
		name  string
		sends string
		asked int
		ok    bool
		want  []session.Reason
	}{
		{"first", "200 200", 1, true, nil},
		{"second", "dial 200", 2, true, []session.Reason{session.Dial}},
		{"third", "open 503 200", 2, true, []session.Reason{session.Open, session.Status5xx}},
		{"nobody", "dial open 503", 2, false, []session.Reason{session.Dial, session.Open, session.Status5xx}},
		{"ended by what may have been started", "dial 500 200", 2, false, []session.Reason{session.Dial, session.Status5xx}},
		{"all skipped", "open shut", 0, false, []session.Reason{session.Open, session.Open}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			for word := range strings.FieldsSeq(c.sends) {
				f := r.add(word, sends[word])
				if word == "open" || word == "shut" {
					f.refusal = session.Open
				}
			}
			var trail chain.Trail
			if c.ok {
				trail = r.carried(nil).Trail
			} else {
				trail = r.failed(nil).Trail
			}
			if !slices.Equal(reasons(trail), c.want) {
				t.Errorf("got %v, want %v", reasons(trail), c.want)
			}
			for i, s := range trail.Steps {
				if s.Target != r.targets[i].Target {
					t.Errorf("step %d is %s", i, s.Target.Name)
				}
			}
			if n := strings.Count(strings.Join(r.log, "\n"), "attempt "); n != c.asked {
				t.Errorf("%d targets were asked: %q", n, r.log)
			}
		})
	}
}

// How much of the body is known of a request that nobody took.
func TestFailedBody(t *testing.T) {
	for _, c := range payloads {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			want := c.text
			switch {
			case c.length > buffer:
				want = "" // it was not kept
			case c.length < 0:
				want = c.text[:buffer+1]
			}
			if f := r.failed(c.req(t.Context())); string(f.Body) != want {
				t.Errorf("got %d bytes, want %d", len(f.Body), len(want))
			}
		})
	}
}
