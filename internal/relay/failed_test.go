package relay_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestFailedError(t *testing.T) {
	step := func(name string, reason session.Reason) chain.Step {
		return chain.Step{Target: &chain.Target{Name: name}, Verdict: session.Verdict{Reason: reason}}
	}
	type row struct {
		trail []chain.Step
		want  string
	}
	chaintest.Each(t, map[string]row{
		"no targets":       {nil, "no backend to carry the request to"},
		"one":              {[]chain.Step{step("a", session.Dial)}, "a: dial"},
		"the last of them": {[]chain.Step{step("a", session.Dial), step("b", session.Open)}, "b: open"},
	}, func(t *testing.T, c row) {
		f := relay.Failed{Trail: chain.Trail{Steps: c.trail}}
		if got := f.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	})
}

func TestCarryWithoutTargets(t *testing.T) {
	r := newRig(t)
	if f := r.failed(nil); f.Steps != nil || f.RetryIn != 0 || string(f.Body) != "hello" {
		t.Errorf("got %+v", f)
	}
	r.Saw()
}

func TestTrail(t *testing.T) {
	sends := map[string]send{
		"dial": breaksOff(errDial), "500": answers(500), "503": answers(503), "200": answers(200),
	}
	type row struct {
		sends string
		asked int
		ok    bool
		want  []session.Reason
	}
	chaintest.Each(t, map[string]row{
		"first":                               {"200 200", 1, true, nil},
		"second":                              {"dial 200", 2, true, []session.Reason{session.Dial}},
		"third":                               {"open 503 200", 2, true, []session.Reason{session.Open, session.Status5xx}},
		"nobody":                              {"dial open 503", 2, false, []session.Reason{session.Dial, session.Open, session.Status5xx}},
		"ended by what may have been started": {"dial 500 200", 2, false, []session.Reason{session.Dial, session.Status5xx}},
		"all skipped":                         {"open shut", 0, false, []session.Reason{session.Open, session.Open}},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		for word := range strings.FieldsSeq(c.sends) {
			f := r.add(word, sends[word])
			if word == "open" || word == "shut" {
				f.refuses(session.Open)
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
		if n := strings.Count(strings.Join(r.Lines, "\n"), "attempt "); n != c.asked {
			t.Errorf("%d targets were asked: %q", n, r.Lines)
		}
	})
}

// Only targets that were skipped have a time at which they may be asked.
func TestFailedRetryIn(t *testing.T) {
	r := newRig(t)
	a, b, c := r.add("a", answers(503)), r.add("b", answers(200)), r.add("c", answers(200))
	a.Wait, b.Wait, c.Wait = time.Second, 9*time.Second, 4*time.Second
	b.refuses(session.Cooldown)
	c.refuses(session.Open)
	if f := r.failed(nil); f.RetryIn != 4*time.Second {
		t.Errorf("retry in %s", f.RetryIn)
	}
}
