package registry

import (
	"encoding/json"
	"net/http"

	"github.com/caddyserver/caddy/v2"
)

// Readiness is the answer to /chatkit/ready.
type Readiness struct {
	Ready bool `json:"ready"`

	// Why it is not ready.
	Reason string `json:"reason,omitempty"`

	// The session routes of which no provider may be asked.
	Routes []RouteStatus `json:"routes,omitempty"`
}

// Ready reports whether the active configuration has routes, and every route that
// creates sessions a provider that may be asked. A process that has been told to end
// is not ready, so that load balancers leave it while shutdown_delay lasts.
func Ready() Readiness {
	if caddy.Exiting() {
		return Readiness{Reason: "the process is shutting down"}
	}
	return active().ready()
}

func (a *App) ready() Readiness {
	if len(a.routes) == 0 {
		return Readiness{Reason: "no configuration with a chatkit route is active"}
	}
	var dead []RouteStatus
	for _, r := range a.routes {
		if r.Session && r.serving() == nil {
			dead = append(dead, a.routeStatus(r))
		}
	}
	if len(dead) > 0 {
		return Readiness{Reason: "no provider of these routes may be asked", Routes: dead}
	}
	return Readiness{Ready: true}
}

// ServeLive answers that the process serves.
func ServeLive(w http.ResponseWriter, _ *http.Request) {
	probed(w, http.StatusOK, map[string]bool{"live": true})
}

// ServeReady answers 200 if [Ready] is true, 503 otherwise.
func ServeReady(w http.ResponseWriter, _ *http.Request) {
	r, status := Ready(), http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
	}
	probed(w, status, r)
}

// probed answers a probe.
func probed(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}
