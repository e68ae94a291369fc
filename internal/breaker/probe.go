package breaker

import (
	"slices"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// maxBarred is how many callers can be kept from probing.
const maxBarred = 16

// probes are the permits of a half-open breaker that are under way, and the callers
// that get no more of them.
//
// What one caller sends may fail at a provider that works. If that opened the breaker
// again, one request at the end of each open time would keep the provider away from
// everybody. So the next probe is somebody else's.
type probes struct {
	underWay []*probe
	barred   []session.Caller

	// asked is when a caller that is not barred asked last, or the last was barred.
	asked time.Time
}

// probe is a permit of a half-open breaker.
type probe struct {
	who    session.Caller
	until  time.Time // when it is taken back, the zero time for never
	report func(error)
	over   bool // it came back or was taken back
}

// allowProbe gives who a permit of the half-open breaker. report is gobreaker's, nil
// where it has none left.
func (b *Breaker) allowProbe(
	who session.Caller, life time.Duration, now time.Time, report func(error),
) (done Done, reason session.Reason) {
	if !b.mayProbe(who, now) {
		if report != nil {
			report(errExcluded)
		}
		return nil, session.Open
	}
	if b.isBarred(who) {
		b.probes.barred = nil
	}
	b.probes.asked = now
	if report == nil {
		return nil, session.Open
	}
	p := &probe{who: who, report: report}
	if life > 0 {
		p.until = now.Add(life)
	}
	b.probes.underWay = append(b.probes.underWay, p)
	generation := b.generation
	return func(v session.Verdict, took time.Duration) { b.doneProbe(generation, p, v, took) }, session.OK
}

// mayProbe reports whether who may have a probe, if there is one left. Where only
// barred callers ask they may, after as long as the breaker was open: nobody else
// would ever close it.
func (b *Breaker) mayProbe(who session.Caller, now time.Time) bool {
	return !b.isBarred(who) || now.Sub(b.probes.asked) >= b.nominal
}

func (b *Breaker) isBarred(who session.Caller) bool {
	return slices.ContainsFunc(b.probes.barred, who.Same)
}

// probesLeft reports whether gobreaker has a permit left.
func (b *Breaker) probesLeft() bool {
	c := b.cb.Counts()
	return int(c.Requests-c.TotalExclusions) < b.set.Probes
}

// doneProbe takes back a permit of the half-open breaker.
func (b *Breaker) doneProbe(generation int, p *probe, v session.Verdict, took time.Duration) {
	now := b.lock()
	defer b.unlock()
	if p.over {
		return // its life was over
	}
	b.coolDown(now, p.who, v)
	if generation != b.generation {
		return // a late result
	}
	b.forget(p)
	c := b.judge(v, took)
	switch {
	case v.Effect == session.Excluded:
		b.shared.freed = true
		if !v.Reason.Skipped() { // else the provider was not asked
			b.bar(p.who, now)
		}
		p.report(errExcluded)
	case !c.bad():
		p.report(nil)
	case b.convinces(p.who, c, now):
		b.cause, b.shared.private = c.reason, !c.unreached && b.counts.failing.pair.IsZero()
		p.report(errFailed)
	default:
		b.shared.freed = true
		b.bar(p.who, now)
		p.report(errExcluded)
	}
}

// convinces reports whether a probe that failed or was slow opens the breaker again:
// not what one of many callers alone may have caused.
func (b *Breaker) convinces(who session.Caller, c call, now time.Time) bool {
	if c.unreached || b.alone(who, now) {
		return true
	}
	b.counts.failing.add(who, now)
	return !b.counts.failing.pair.IsZero()
}

// bar keeps who from further probes, where there are others.
func (b *Breaker) bar(who session.Caller, now time.Time) {
	if b.alone(who, now) {
		return
	}
	if len(b.probes.barred) == maxBarred {
		b.probes.barred = nil
	}
	b.probes.barred = append(b.probes.barred, who)
	b.probes.asked = now
}

// takeBack takes back the probes whose life is over. It is called with every use of
// the breaker: nobody else has to know.
func (b *Breaker) takeBack(now time.Time) {
	for _, p := range slices.Clone(b.probes.underWay) {
		if p.until.IsZero() || now.Before(p.until) {
			continue
		}
		b.forget(p)
		b.bar(p.who, now)
		b.shared.freed = true
		p.report(errExcluded)
	}
}

// forget notes that a probe is not under way any more.
func (b *Breaker) forget(p *probe) {
	p.over = true
	b.probes.underWay = slices.DeleteFunc(b.probes.underWay, func(other *probe) bool { return other == p })
}
