package relay_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// An operator's own list of statuses: a refusal on it moves where the policy
// lets it and there is another target, and is the client's to read else.
func TestPolicyWithFallbackOn(t *testing.T) {
	type row struct {
		on     string
		policy relay.Failover
		status int
		served string // whose answer the client gets
		reason session.Reason
		effect session.Effect
	}
	chaintest.Each(t, map[string]row{
		"403 listed, any":      {"4xx 5xx", relay.Any, 403, "b", session.Status4xx, refusal},
		"403 listed, safe":     {"4xx 5xx", relay.Safe, 403, "a", session.Status4xx, refusal},
		"422 listed, off":      {"4xx 5xx", relay.Off, 422, "a", session.Status4xx, refusal},
		"403 not listed, any":  {"5xx", relay.Any, 403, "a", session.Rejected, refusal},
		"429 listed, safe":     {"429", relay.Safe, 429, "b", session.Status4xx, refusal},
		"429 not listed, any":  {"5xx", relay.Any, 429, "a", session.Rejected, refusal},
		"503 not listed, safe": {"429", relay.Safe, 503, "a", session.Status5xx, failed},
		"500 not listed, any":  {"429", relay.Any, 500, "a", session.Status5xx, failed},
		"500 listed, any":      {"500", relay.Any, 500, "b", session.Status5xx, failed},
		"500 listed, safe":     {"500", relay.Safe, 500, "a", session.Status5xx, failed},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		r.Failover = c.policy
		a, b := r.add("a", answers(c.status)), r.add("b", answers(200))
		a.FallbackOn = fallbackOn(t, c.on)
		if got := r.carried(nil); got.Target.Name != c.served {
			t.Errorf("%s answered", got.Target.Name)
		}
		a.asked(c.effect)
		b.asked([]session.Effect{okay}[:strings.Count(c.served, "b")]...)
		if r.Lines[0] != "attempt a "+string(c.reason) {
			t.Errorf("the observer saw %q", r.Lines)
		}
	})
}

func fallbackOn(t *testing.T, words string) *session.StatusSet {
	t.Helper()
	set, err := session.ParseStatusSet(strings.Fields(words))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// The last target's refusal has nowhere to go: with one backend, a list that
// holds 4xx once hid from the client why it was refused.
func TestPolicyOfTheLastTarget(t *testing.T) {
	type row struct {
		body    string
		targets []int // their statuses
		served  int
		trail   []session.Reason
	}
	chaintest.Each(t, map[string]row{
		"only one":                    {"hello", []int{403}, 0, nil},
		"second of two":               {"hello", []int{404, 422}, 1, []session.Reason{session.Status4xx}},
		"after a failure":             {"hello", []int{500, 404}, 1, []session.Reason{session.Status5xx}},
		"of a body that is sent once": {text(buffer + 1), []int{403, 200}, 0, nil},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		r.Failover = relay.Any
		for _, status := range c.targets {
			r.add("f", answers(status)).FallbackOn = fallbackOn(t, "4xx 5xx")
		}
		got := r.carried(post(t.Context(), strings.NewReader(c.body)))
		if got.Target != r.targets[c.served].Target || got.StatusCode != c.targets[c.served] {
			t.Errorf("answered %d", got.StatusCode)
		}
		if !slices.Equal(reasons(got.Trail), c.trail) {
			t.Errorf("after %v", got.Trail)
		}
	})
}
