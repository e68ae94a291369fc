package relay_test

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// outcome is what can become of the first of two targets.
type outcome struct {
	name      string
	send      send // nil: the breaker refuses
	reason    session.Reason
	effect    session.Effect
	safe, any bool // whether the request moves; with off it never does
	cooldown  time.Duration
}

const (
	moves = true
	stays = false
)

var outcomes = []outcome{
	{"dial", breaksOff(errDial), session.Dial, failed, moves, moves, 0},
	{"dns", breaksOff(errDNS), session.DNS, failed, moves, moves, 0},
	{"tls", breaksOff(errTLS), session.TLS, failed, moves, moves, 0},
	{"timeout before the header", hangs, session.Timeout, failed, stays, moves, 0},
	{"reset", breaksOff(io.ErrUnexpectedEOF), session.Reset, failed, stays, moves, 0},
	{"panic", func(*http.Request) (*http.Response, error) { panic("at work") }, session.Misconfigured, failed, stays, moves, 0},
	{"no answer and no error", breaksOff(nil), session.Misconfigured, failed, stays, moves, 0},
	{"500", answers(500), session.Status5xx, failed, stays, moves, 0},
	{"502", answers(502), session.Status5xx, failed, stays, moves, 0},
	{"503", answers(503), session.Status5xx, failed, moves, moves, 0},
	{"503 with Retry-After", answers(503, "Retry-After", "9"), session.Status5xx, failed, moves, moves, 9 * time.Second},
	{"429", answers(429), session.Rejected, refusal, stays, stays, 0},
	{"429 with Retry-After", answers(429, "Retry-After", "7"), session.Rejected, refusal, stays, stays, 0},
	{"429 for a day", answers(429, "Retry-After", "86400"), session.Rejected, refusal, stays, stays, 0},
	{"408", answers(408), session.Rejected, refusal, stays, stays, 0},
	{"425", answers(425), session.Rejected, refusal, stays, stays, 0},
	{"405", answers(405), session.Rejected, refusal, stays, stays, 0},
	{"501", answers(501), session.Misconfigured, failed, stays, moves, 0},
	{"400", answers(400), session.Rejected, refusal, stays, stays, 0},
	{"401", answers(401), session.Rejected, refusal, stays, stays, 0},
	{"403", answers(403), session.Rejected, refusal, stays, stays, 0},
	{"404", answers(404), session.Rejected, refusal, stays, stays, 0},
	{"409 with Retry-After", answers(409, "Retry-After", "9"), session.Rejected, refusal, stays, stays, 0},
	{"422", answers(422), session.Rejected, refusal, stays, stays, 0},
	{"redirect", answers(307, "Location", "/"), session.OK, excluded, stays, stays, 0},
	{"200", answers(200), session.OK, okay, stays, stays, 0},
	{"204", answers(204), session.OK, okay, stays, stays, 0},
	{"breaker open", nil, session.Open, excluded, moves, moves, 0},
	{"forced open", nil, session.ForcedOpen, excluded, moves, moves, 0},
	{"cooling down", nil, session.Cooldown, excluded, moves, moves, 0},
}

// A body that is not kept is sent once, whatever becomes of it.
const sentOnce = "any, sent once"

// moved reports whether the request moves under a policy.
func (o outcome) moved(policy string) bool {
	return policy == "safe" && o.safe || policy == "any" && o.any || policy == sentOnce && o.any && o.send == nil
}

// answers reports whether there is an answer that can be passed on.
func (o outcome) answers() bool {
	status, err := strconv.Atoi(strings.Fields(o.name)[0])
	return o.name == "redirect" || err == nil && status > 0
}

func TestPolicy(t *testing.T) {
	for _, o := range outcomes {
		for _, policy := range []string{"safe", "any", "off", sentOnce} {
			t.Run(o.name+"/"+policy, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { o.check(t, policy) })
			})
		}
	}
}

func (o outcome) check(t *testing.T, policy string) {
	t.Helper()
	r := newRig(t)
	word, once := strings.CutSuffix(policy, ", sent once")
	r.Failover = relay.Failover(word)
	req := post(t.Context(), strings.NewReader("hello"))
	if once {
		req = known(buffer + 1)(t.Context())
	}
	a, b := r.add("a", o.send), r.add("b", answers(200))
	saw := "attempt a " + string(o.reason)
	if o.send == nil {
		saw = "skip a " + string(o.reason)
		a.refuses(o.reason)
	}
	switch {
	case o.moved(policy):
		got := r.carried(req)
		if got.Target != b.Target.Target || !slices.Equal(reasons(got.Trail), []session.Reason{o.reason}) || got.Failed {
			t.Errorf("%s answered after %v", got.Target.Name, got.Trail)
		}
		b.asked(okay)
		r.Saw(saw, "attempt b ")
	case o.answers():
		got, want := r.carried(req), []session.Reason{o.reason}
		if o.effect != failed {
			want = nil
		}
		if got.Target != a.Target.Target || !slices.Equal(reasons(got.Trail), want) || got.Failed != (o.effect == failed) {
			t.Errorf("%s answered after %v, a failure: %t", got.Target.Name, got.Trail, got.Failed)
		}
		b.asked()
		r.Saw(saw)
	default:
		if f := r.failed(req); !slices.Equal(reasons(f.Trail), []session.Reason{o.reason}) {
			t.Errorf("failed with %v", f.Trail)
		}
		b.asked()
		r.Saw(saw)
	}
	if o.send == nil {
		a.asked()
		return
	}
	a.asked(o.effect)
	if o.moved(policy) || !o.answers() {
		a.abandoned()
	}
	if n := len(a.Cooldowns); (n > 0) != (o.cooldown > 0) || n == 1 && a.Cooldowns[0] != o.cooldown || n > 1 {
		t.Errorf("cooled down for %v, want %s", a.Cooldowns, o.cooldown)
	}
}
