package registry

import (
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/buildinfo"
)

// Overview is everything that a status page shows.
type Overview struct {
	At        time.Time          `json:"at"`
	Version   string             `json:"version"`       // of this module
	Caddy     string             `json:"caddy_version"` // of Caddy
	Readiness Readiness          `json:"readiness"`
	Providers []ProviderOverview `json:"providers"`
	Routes    []RouteStatus      `json:"routes"`
	Fallbacks []Fallback         `json:"fallbacks"`
}

// ProviderOverview is a provider and its recent past.
type ProviderOverview struct {
	ProviderStatus

	// The states of the breaker in the last hour, oldest first. The first one may
	// have begun before that.
	States []StateStatus `json:"states"`
}

// StateStatus is a state of a breaker and when it began.
type StateStatus struct {
	State string    `json:"state"`
	At    time.Time `json:"at"`
}

// Look returns the active configuration as it is now.
func Look() Overview {
	a := active()
	caddyVersion, _ := caddy.Version()
	o := Overview{
		At: time.Now().UTC(), Version: buildinfo.Read().Version, Caddy: caddyVersion, Readiness: Ready(), Providers: make([]ProviderOverview, 0, len(a.all())),
		Routes: a.routeStatuses(), Fallbacks: fallbacks.list(),
	}
	for _, p := range a.all() {
		// In this order: looking at a breaker can change its state.
		v := ProviderOverview{ProviderStatus: a.status(p), States: []StateStatus{}}
		for _, m := range p.tally.States() {
			v.States = append(v.States, StateStatus{State: m.State, At: m.At.UTC()})
		}
		o.Providers = append(o.Providers, v)
	}
	return o
}
