package control

import (
	"fmt"
	"math"
)

// state returns the state of the breaker, of one that is ramping with its share.
func (p *provider) state() string {
	if p.RampShare == nil {
		return p.State
	}
	return fmt.Sprintf("%s %.0f%%", p.State, math.Round(*p.RampShare*100))
}

// protected returns notes on what keeps requests from the provider, but for the
// breaker itself.
func (p *provider) protected() (notes []string) {
	if p.MaxInFlight > 0 && p.InFlight*2 > p.MaxInFlight {
		notes = append(notes, fmt.Sprintf("%s: %d of %d attempts under way", p.ID, p.InFlight, p.MaxInFlight))
	}
	h := p.Health
	if h == nil {
		return notes
	}
	note := p.ID + ": health check: " + h.Result
	if h.Status != 0 {
		note += fmt.Sprintf(" (%d)", h.Status)
	}
	if h.Error != "" {
		note += ": " + h.Error
	}
	return append(notes, note)
}
