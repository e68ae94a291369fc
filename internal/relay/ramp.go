package relay

import (
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
)

// ramped is a target that a ramp has refused, and its step in the trail. It is asked
// after all if nobody else answers.
type ramped struct {
	target Target
	step   int
}

// left reports whether there is a target that can be asked.
func (d *Delivery) left() bool { return len(d.targets)+len(d.ramped) > 0 }

// pop returns the next target and its place in the trail: first those in order, then
// those that a ramp has refused.
func (d *Delivery) pop() (t Target, step int) {
	if len(d.targets) > 0 {
		t, d.targets = d.targets[0], d.targets[1:]
		return t, len(d.trail.Steps)
	}
	h := d.ramped[0]
	d.ramped, d.again = d.ramped[1:], true
	return h.target, h.step
}

// note notes in the trail what became of a target.
func (d *Delivery) note(s chain.Step, step int, retryIn time.Duration) {
	if step < len(d.trail.Steps) {
		d.trail.Replace(step, s, retryIn)
		return
	}
	d.trail.Add(s, retryIn)
}

// insists reports whether a ramp must let the request through to the target that is
// asked now: everybody else was asked, it alone knows the session, or the request does
// not move.
func (d *Delivery) insists() bool {
	return d.again || d.req.Insist && len(d.trail.Steps) == 0 || d.relay.Failover == Off
}

// later returns the targets that may be asked after the one that is asked now.
func (d *Delivery) later() []*chain.Target {
	if len(d.targets) == 0 {
		return nil
	}
	all := make([]*chain.Target, len(d.targets))
	for i, t := range d.targets {
		all[i] = t.Target
	}
	return all
}
