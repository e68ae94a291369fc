package registry

import (
	"math"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/tally"
)

// ProviderStatus is a provider as operators see it. Times are RFC 3339.
type ProviderStatus struct {
	// The id in the admin API. It is the name.
	ID     string `json:"id"`
	Name   string `json:"name"`
	Module string `json:"module"`

	// The state of the breaker, as in the metric, and when it got there.
	State string    `json:"state"`
	Since time.Time `json:"since"`

	// When an open breaker lets a call through, when a cooldown ends.
	OpenUntil     *time.Time `json:"open_until,omitempty"`
	CooldownUntil *time.Time `json:"cooldown_until,omitempty"`

	// What the last check of health has found. Absent while the breaker is closed.
	Health *HealthStatus `json:"health,omitempty"`

	// The part of the requests that the provider gets while it is ramping, from 0 to
	// 1, and when it gets all of them.
	RampShare *float64   `json:"ramp_share,omitempty"`
	RampUntil *time.Time `json:"ramp_until,omitempty"`

	// Attempts that are under way, and how many may be.
	InFlight    int `json:"in_flight"`
	MaxInFlight int `json:"max_in_flight"`

	// The latest failure, and the error text of the transport.
	LastFailure *FailureStatus `json:"last_failure,omitempty"`
	LastError   string         `json:"last_error,omitempty"`

	// The first failure after the latest success. It is absent while the provider
	// works, and a failed probe does not change it.
	FailingSince *time.Time `json:"failing_since,omitempty"`
	LastSuccess  *time.Time `json:"last_success,omitempty"`

	// The part of the answered requests that this provider served, on the routes
	// that have it, from 0 to 1. Absent if there was no such request.
	Share1m *float64 `json:"share_1m,omitempty"`
	Share5m *float64 `json:"share_5m,omitempty"`

	// Answers of this provider per second.
	Rate1m float64 `json:"rate_1m"`
	Rate5m float64 `json:"rate_5m"`

	// The mean time of an attempt, in seconds. Absent if there was none.
	Latency1m *float64 `json:"latency_1m,omitempty"`
	Latency5m *float64 `json:"latency_5m,omitempty"`

	// The routes that ask it.
	Routes []RouteRef `json:"routes"`

	Counts CountStatus `json:"counts"`

	// When the next provider is asked as well, if ever.
	Hedge *HedgeStatus `json:"hedge,omitempty"`

	// What an operator has forced, and why.
	Forced *ForcedStatus `json:"forced,omitempty"`

	// The instances that share what they know of it, this one too. Absent where
	// nothing is shared, or that is not available.
	Instances []InstanceStatus `json:"instances,omitempty"`
}

// FailureStatus is a failed attempt.
type FailureStatus struct {
	Reason string    `json:"reason"`
	Status int       `json:"status,omitempty"` // of HTTP, where there was an answer
	At     time.Time `json:"at"`
}

// CountStatus is what a breaker goes by.
type CountStatus struct {
	Consecutive int `json:"consecutive_failures"`

	// In the window of the ratios.
	Calls  int `json:"calls"`
	Failed int `json:"failed"`
	Slow   int `json:"slow"`
}

// ForcedStatus is a state an operator holds a breaker in.
type ForcedStatus struct {
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`

	// Who forced it, and when. Who is what the request said and where it came
	// from, such as "alice@bastion by chatkit-breaker from 127.0.0.1".
	By string    `json:"by,omitempty"`
	At time.Time `json:"at"`
}

// RouteRef is a route that asks a provider.
type RouteRef struct {
	Sites    []string `json:"sites,omitempty"`
	Kind     string   `json:"kind"`
	Path     string   `json:"path"`
	Position int      `json:"position"` // in the chain, from 1
}

// statuses returns the providers of a configuration, in its order.
func (a *App) statuses() []ProviderStatus {
	list := make([]ProviderStatus, 0, len(a.entries))
	for _, p := range a.all() {
		list = append(list, a.status(p))
	}
	return list
}

// status returns a provider with the routes that ask it.
func (a *App) status(p *Provider) ProviderStatus {
	s := p.status()
	s.Instances = p.instances()
	s.Routes = []RouteRef{}
	for _, r := range a.routes {
		for i, other := range r.providers() {
			if other == p {
				s.Routes = append(s.Routes, RouteRef{Sites: a.sitesOf(r.handler), Kind: r.Kind, Path: r.Path, Position: i + 1})
			}
		}
	}
	return s
}

// status returns the provider as operators see it.
func (p *Provider) status() ProviderStatus {
	now := p.Breaker.Snapshot()
	s := ProviderStatus{
		ID: p.Name, Name: p.Name, Module: p.Module, State: string(now.State), Since: now.Since.UTC(),
		OpenUntil: utc(now.OpenUntil), CooldownUntil: utc(now.CoolUntil), LastFailure: p.last.Load(),
		Counts: CountStatus{Consecutive: now.Consecutive, Calls: now.Calls, Failed: now.Failed, Slow: now.Slow},
	}
	s.Health, s.InFlight, s.MaxInFlight = p.health(&now), p.Places.InFlight(), p.Places.Limit()
	if now.Share > 0 {
		share := math.Round(now.Share*1e4) / 1e4
		s.RampShare, s.RampUntil = &share, utc(now.RampUntil)
	}
	if f := now.Forced; f != nil {
		s.Forced = &ForcedStatus{Until: f.Until.UTC(), Reason: f.Reason, By: f.By, At: f.At.UTC()}
	}
	s.Hedge = p.hedgeStatus()
	health := p.tally.Health()
	s.FailingSince, s.LastSuccess, s.LastError = utc(health.FailingSince), utc(health.LastSuccess), health.LastError
	s.Share1m, s.Rate1m, s.Latency1m = figures(p.tally.Over(tally.Short))
	s.Share5m, s.Rate5m, s.Latency5m = figures(p.tally.Over(tally.Long))
	return s
}

// rounded rounds to four digits after the point.
func rounded(f float64) float64 { return math.Round(f*1e4) / 1e4 }

// figures returns a summary for JSON, with four digits after the point.
func figures(s tally.Summary) (share *float64, rate float64, latency *float64) {
	if s.Answered > 0 {
		f := rounded(s.Share)
		share = &f
	}
	if s.Attempts > 0 {
		f := rounded(s.Latency.Seconds())
		latency = &f
	}
	return share, rounded(s.Rate), latency
}

// utc returns a time for JSON, nil for the zero time.
func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
