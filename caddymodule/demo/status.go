package demo

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// statusPage serves what the page shows: the providers, their breakers, and the
// requests. Times are Unix milliseconds.
type statusPage struct {
	api      *adminAPI
	requests func() []request
	servers  map[string]*sandbox.Server
	turns    func() []sandbox.Turn
}

// shownTurns is how many turns the page learns of: those of one question.
const shownTurns = 10

// pageStatus is the answer.
type pageStatus struct {
	Now       int64          `json:"now"`
	Address   string         `json:"address"` // of the admin API
	Providers []pageProvider `json:"providers"`
	Requests  []request      `json:"requests"` // oldest first
	Turns     []sandbox.Turn `json:"turns"`    // the latest ones that the backend has stored, oldest first
}

// pageProvider is one provider in the answer.
type pageProvider struct {
	Name   string      `json:"name"`
	State  string      `json:"state"` // of its breaker
	Until  int64       `json:"until"` // it may change by itself, 0 if that is not known
	Fault  string      `json:"fault"` // of the simulated provider
	States []pageState `json:"states"`
}

type pageState struct {
	State string `json:"state"`
	At    int64  `json:"at"`
}

// ServeHTTP answers with a [pageStatus].
func (s *statusPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found, err := s.api.status(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	answer := pageStatus{Now: time.Now().UnixMilli(), Address: s.api.address(), Requests: s.requests()}
	turns := s.turns()
	answer.Turns = append([]sandbox.Turn{}, turns[max(0, len(turns)-shownTurns):]...)
	for _, name := range slices.Sorted(maps.Keys(s.servers)) {
		p := pageProvider{Name: name, Fault: string(s.servers[name].Fault())}
		p.add(found)
		answer.Providers = append(answer.Providers, p)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(answer)
}

// add adds what the admin API says of the provider.
func (p *pageProvider) add(found []adminProvider) {
	for _, f := range found {
		if f.Name != p.Name {
			continue
		}
		p.State = f.State
		if f.OpenUntil != nil {
			p.Until = f.OpenUntil.UnixMilli()
		}
		if f.Forced != nil {
			p.Until = f.Forced.Until.UnixMilli()
		}
		for _, s := range f.States {
			p.States = append(p.States, pageState{State: s.State, At: s.At.UnixMilli()})
		}
	}
}
