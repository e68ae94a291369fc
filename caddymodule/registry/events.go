package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// Events streams an [Overview] again and again, as server-sent events. One request
// for all of them keeps the admin API's log readable: Caddy logs each.
type Events struct {
	// Done is closed when the stream has to end: its configuration is replaced,
	// and the server waits for its requests.
	Done <-chan struct{}
}

// Bounds of how often an overview is sent.
const (
	minEvery     = 500 * time.Millisecond
	defaultEvery = 2 * time.Second
	maxEvery     = time.Minute
)

// ServeHTTP sends an overview at once, and then every few seconds, as the query
// says: every=5s.
func (e *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	every := defaultEvery
	if text := r.URL.Query().Get("every"); text != "" {
		d, err := caddy.ParseDuration(text)
		if err != nil {
			http.Error(w, fmt.Sprintf("invalid every %q (want 500ms, 2s, 1m)", text), http.StatusBadRequest)
			return
		}
		every = min(max(d, minEvery), maxEvery)
	}
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{}) // the admin API's would end the stream
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if !sendOverview(w, c) {
			return
		}
		select {
		case <-tick.C:
		case <-e.Done:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// sendOverview reports whether there is somebody to read it.
func sendOverview(w http.ResponseWriter, c *http.ResponseController) bool {
	body, err := json.Marshal(Look())
	if err != nil {
		return false
	}
	if _, err := fmt.Fprintf(w, "data: %s\n\n", body); err != nil {
		return false
	}
	return c.Flush() == nil
}
