package chain_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

const ms = time.Millisecond

// How the deadline is shared among providers that all hang.
func TestRunSharesTheDeadline(t *testing.T) {
	type row struct {
		deadline time.Duration
		timeouts []time.Duration
		want     []time.Duration // what each attempt gets
	}
	chaintest.Each(t, map[string]row{
		"one within": {10_000 * ms, []time.Duration{3000 * ms}, []time.Duration{3000 * ms}},
		"one beyond": {2000 * ms, []time.Duration{3000 * ms}, []time.Duration{2000 * ms}},
		"two within": {10_000 * ms, []time.Duration{3000 * ms, 3000 * ms}, []time.Duration{3000 * ms, 3000 * ms}},
		"two beyond": {2000 * ms, []time.Duration{3000 * ms, 3000 * ms}, []time.Duration{1000 * ms, 1000 * ms}},
		"three within": {
			10_000 * ms,
			[]time.Duration{3000 * ms, 3000 * ms, 3000 * ms}, []time.Duration{3000 * ms, 3000 * ms, 3000 * ms},
		},
		"three beyond": {
			6000 * ms,
			[]time.Duration{3000 * ms, 3000 * ms, 3000 * ms}, []time.Duration{2000 * ms, 2000 * ms, 2000 * ms},
		},
		"the last needs less":  {2000 * ms, []time.Duration{3000 * ms, 500 * ms}, []time.Duration{1500 * ms, 500 * ms}},
		"the first needs less": {2000 * ms, []time.Duration{500 * ms, 3000 * ms}, []time.Duration{500 * ms, 1500 * ms}},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		r.Deadline = c.deadline
		links := make([]*fake, len(c.timeouts))
		for i, d := range c.timeouts {
			links[i] = r.add("f", hangs)
			links[i].Timeout = d
		}
		start, sum := time.Now(), time.Duration(0)
		res := r.run(t.Context())
		for i, f := range links {
			f.asked(failed)
			if f.limits[0] != c.want[i] {
				t.Errorf("provider %d gets %s, want %s", i+1, f.limits[0], c.want[i])
			}
			sum += c.want[i]
		}
		if took := time.Since(start); took != sum || res.Upstream != sum {
			t.Errorf("took %s, %s of it upstream, want %s", took, res.Upstream, sum)
		}
		if res.Last().Verdict.Reason != session.Timeout {
			t.Errorf("ended with %+v", res.Last().Verdict)
		}
	})
}

// No time is kept for a provider that would be skipped now.
func TestRunKeepsNoTimeForSkipped(t *testing.T) {
	refuses := func(reason session.Reason) func(*fake) {
		return func(f *fake) { f.Refusals = []session.Reason{reason} }
	}
	type row struct {
		skipped func(*fake)
		want    time.Duration // of a deadline of 6 s, with two others
	}
	chaintest.Each(t, map[string]row{
		"all closed":    {func(*fake) {}, 2000 * ms},
		"open":          {refuses(session.Open), 3000 * ms},
		"forced open":   {refuses(session.ForcedOpen), 3000 * ms},
		"cooling down":  {refuses(session.Cooldown), 3000 * ms},
		"at its cap":    {func(f *fake) { f.Cap = empty{} }, 3000 * ms},
		"below its cap": {func(f *fake) { f.Cap = ratelimit.NewBucket(ratelimit.Rate{N: 1, Per: time.Hour}) }, 2000 * ms},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		r.Deadline = 6000 * ms
		a := r.add("a", hangs)
		c.skipped(r.add("b", hangs))
		last := r.add("c", hangs)
		for _, target := range r.Targets {
			target.Timeout = r.Deadline
		}
		r.run(t.Context())
		if a.limits[0] != c.want {
			t.Errorf("the first gets %s, want %s", a.limits[0], c.want)
		}
		if last.limits[0] != c.want {
			t.Errorf("the last gets %s, want %s", last.limits[0], c.want)
		}
	})
}

// empty is a cap without tokens.
type empty struct{}

func (empty) Take() time.Duration { return time.Minute }
func (empty) Wait() time.Duration { return time.Minute }

// What a quick failure leaves over is for those that come after it.
func TestRunPassesOnWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Deadline = 2000 * ms
		a, b := r.add("a", takes(100*ms, answers(500))), r.add("b", takes(1800*ms, gives("s2")))
		res := r.run(t.Context())
		served(t, res, "b", session.Status5xx)
		a.asked(failed)
		b.asked(okay)
		if b.limits[0] != 1900*ms || res.Upstream != 1900*ms {
			t.Errorf("second gets %s, upstream took %s", b.limits[0], res.Upstream)
		}
	})
}

// A provider that takes no notice of its time limit uses up that of the others.
func TestRunOutOfTime(t *testing.T) {
	type row struct {
		took time.Duration // of the first, of a deadline of 2 s
		want []session.Reason
	}
	chaintest.Each(t, map[string]row{
		"long over":                 {5000 * ms, []session.Reason{session.Timeout, session.Budget}},
		"less than an attempt left": {2000*ms - chain.MinAttempt + 1, []session.Reason{session.Timeout, session.Budget}},
		"just an attempt left":      {2000*ms - chain.MinAttempt, []session.Reason{session.Timeout, session.Timeout, session.Budget}},
	}, func(t *testing.T, c row) {
		r := newRig(t)
		r.Deadline = 2000 * ms
		r.add("a", takes(c.took, hangs))
		b := r.add("b", hangs)
		b.Timeout = 3000 * ms
		last := len(c.want) - 1
		third := r.add("c", gives("s3"))
		third.Timeout = 0 // keeps nothing back for itself
		res := r.run(t.Context())
		served(t, res, "", c.want...)
		if v := res.Last().Verdict; v.Next || v.Effect != excluded {
			t.Errorf("ended with %+v", v)
		}
		if n := len(b.limits); n != last-1 {
			t.Errorf("second asked %d times", n)
		}
		third.asked()
		if line := r.Lines[last]; line != "skip "+r.Targets[last].Name+" budget" {
			t.Errorf("the observer saw %q", line)
		}
	})
}

// A session that comes after the deadline is a session all the same. The
// request's own deadline, where it has one, is nobody's leaving.
func TestRunBeyondADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Deadline = 2000 * ms
		a := r.add("a", takes(5000*ms, gives("s1")), hangs)
		served(t, r.run(t.Context()), "a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		served(t, r.run(ctx), "", session.Timeout)
		a.asked(okay, failed)
	})
}
