package breaker

import "time"

// rampStart is the share of calls that get through when a ramp begins.
const rampStart = 0.1

// ramp lets a growing share of calls through after a recovery, so that a provider
// whose caches are cold, or which fails under load only, does not get all of it at
// once. The zero value is none.
type ramp struct {
	from   time.Time
	length time.Duration
	credit float64 // of calls that were refused
}

func (r *ramp) runs() bool { return r.length > 0 }

func (r *ramp) end() time.Time { return r.from.Add(r.length) }

// share returns the share of calls that get through at now, from 0 to 1.
func (r *ramp) share(now time.Time) float64 {
	return min(rampStart+(1-rampStart)*float64(now.Sub(r.from))/float64(r.length), 1)
}

// passes decides about a call. The calls that get through are spread evenly: with a
// share of a tenth every tenth does.
func (r *ramp) passes(now time.Time) bool {
	r.credit += r.share(now)
	if r.credit < 1-1e-9 { // ten times a tenth is a little less than 1
		return false
	}
	r.credit--
	return true
}

// climb ends a ramp whose time is over.
func (b *Breaker) climb(now time.Time) {
	if !b.ramp.runs() || now.Before(b.ramp.end()) {
		return
	}
	b.ramp, b.nominal = ramp{}, 0
	if b.force == nil {
		b.note(now, Change{From: Ramping, To: Closed})
	}
}

// rules returns when failures open the breaker. In a ramp half as many are enough:
// there are fewer calls, and the provider has failed a moment ago.
func (b *Breaker) rules() *Settings {
	if !b.ramp.runs() {
		return &b.set
	}
	s := b.set
	s.Consecutive, s.MinCalls = (s.Consecutive+1)/2, (s.MinCalls+1)/2
	return &s
}
