package relay_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// What is known of the targets that did not take a request. Only those that were
// skipped have a time at which they may be asked.
func TestTrail(t *testing.T) {
	sends := map[string]send{"dial": breaksOff(errDial), "503": answers(503), "200": answers(200)}
	waits := map[string]time.Duration{"open": 9 * time.Second, "soon": 4 * time.Second}
	type row struct {
		targets string
		asked   int
		want    []session.Reason
		err     string // where nobody took it
		retryIn time.Duration
	}
	chaintest.Each(t, map[string]row{
		"no targets":  {"", 0, []session.Reason{}, "no backend to carry the request to", 0},
		"third":       {"open 503 200", 2, []session.Reason{session.Open, session.Status5xx}, "", 9 * time.Second},
		"nobody":      {"dial open 503", 2, []session.Reason{session.Dial, session.Open, session.Status5xx}, "", 9 * time.Second},
		"503, open":   {"503 open dial", 2, []session.Reason{session.Status5xx, session.Open, session.Dial}, "", 9 * time.Second},
		"no answer":   {"dial open", 1, []session.Reason{session.Dial, session.Open}, "open: open", 9 * time.Second},
		"all skipped": {"open soon", 0, []session.Reason{session.Open, session.Open}, "soon: open", 4 * time.Second},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		for word := range strings.FieldsSeq(c.targets) {
			f := r.add(word, sends[word])
			f.Wait = time.Second
			if wait, skipped := waits[word]; skipped {
				f.refuses(session.Open)
				f.Wait = wait
			}
		}
		var trail chain.Trail
		if c.err == "" {
			trail = r.carried(nil).Trail
		} else {
			f := r.failed(nil)
			if trail = f.Trail; f.Error() != c.err {
				t.Errorf("got %q, want %q", f.Error(), c.err)
			}
		}
		if !slices.Equal(reasons(trail), c.want) || trail.RetryIn != c.retryIn {
			t.Errorf("got %v, again in %s, want %v and %s", reasons(trail), trail.RetryIn, c.want, c.retryIn)
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
