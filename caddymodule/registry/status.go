package registry

import (
	"cmp"
	"slices"
	"time"
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

	// The latest failure.
	LastFailure *FailureStatus `json:"last_failure,omitempty"`

	Counts CountStatus `json:"counts"`

	// What an operator has forced, and why.
	Forced *ForcedStatus `json:"forced,omitempty"`
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
}

// statuses returns the providers of the active configuration, by name.
func statuses() []ProviderStatus {
	all := active().all()
	list := make([]ProviderStatus, 0, len(all))
	for _, p := range all {
		list = append(list, p.status())
	}
	slices.SortFunc(list, func(a, b ProviderStatus) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// status returns the provider as operators see it.
func (p *Provider) status() ProviderStatus {
	now := p.Breaker.Snapshot()
	s := ProviderStatus{
		ID: p.Name, Name: p.Name, Module: p.Module, State: string(now.State), Since: now.Since.UTC(),
		OpenUntil: utc(now.OpenUntil), CooldownUntil: utc(now.CoolUntil), LastFailure: p.last.Load(),
		Counts: CountStatus{Consecutive: now.Consecutive, Calls: now.Calls, Failed: now.Failed, Slow: now.Slow},
	}
	if f := now.Forced; f != nil {
		s.Forced = &ForcedStatus{Until: f.Until.UTC(), Reason: f.Reason}
	}
	return s
}

// utc returns a time for JSON, nil for the zero time.
func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
