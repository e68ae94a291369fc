package caddymodule

import (
	"net/http"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/outage"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// carriedWriter sees the header of a carried answer leave.
type carriedWriter struct {
	*caddyhttp.ResponseWriterWrapper

	c         *carriedRequest
	committed bool

	mu sync.Mutex
}

// Write implements [io.Writer]. Over HTTP/2 Caddy's drain writes the frame that
// closes a WebSocket while the backend's bytes are written.
func (w *carriedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ResponseWriterWrapper.Write(p)
}

// FlushError is how [http.ResponseController] flushes.
func (w *carriedWriter) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return http.NewResponseController(w.ResponseWriterWrapper.ResponseWriter).Flush()
}

// WriteHeader implements [http.ResponseWriter].
func (w *carriedWriter) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.commit()
	}
	w.ResponseWriterWrapper.WriteHeader(status)
}

// commit is the commit point.
func (w *carriedWriter) commit() {
	resp := w.c.passage.response
	if !w.committed && w.c.passage.standIns != nil {
		w.committed = true
		w.commitStandIns(&w.c.passage.standIns.Trail)
	}
	if w.committed || resp == nil {
		return
	}
	w.committed = true
	if !w.c.drill {
		telemetry.FirstByte(w.c.r.Context(), string(w.c.route.kind), time.Since(w.c.start))
	}
	w.c.servedBy(resp.Target.Name)
	w.c.reason = resp.Trail.Reason()
	w.c.answered(resp.Target.Name, &resp.Trail)
	h := w.Header()
	for name, values := range w.c.passage.withheld {
		h[name] = append(h[name], values...)
	}
	// The first backend's own failure is not a fallback.
	if w.c.reason != session.OK && resp.Trail.Steps[0].Target != resp.Target {
		h.Set(reasonHeader, string(w.c.reason))
	}
	if relay.IsEventStream(h) {
		sseHeaders(h, w.c.r)
	}
}

// commitStandIns is the commit point of an answer of stand-ins.
func (w *carriedWriter) commitStandIns(trail *chain.Trail) {
	telemetry.FirstByte(w.c.r.Context(), string(w.c.route.kind), time.Since(w.c.start))
	w.c.servedBy(outage.Name)
	w.c.reason = trail.Reason()
	h := w.Header()
	if w.c.reason != session.OK { // else no backend was asked
		w.c.answered(outage.Name, trail)
		w.c.tellFailed(trail)
		h.Set(reasonHeader, string(w.c.reason))
	}
	if relay.IsEventStream(h) {
		sseHeaders(h, w.c.r)
	}
}

// sseHeaders are the headers of every event stream.
func sseHeaders(h http.Header, r *http.Request) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no")
	if r.ProtoMajor == 1 && h.Get("Connection") == "" { // else it is to be closed
		h.Set("Connection", "keep-alive") // illegal from HTTP/2 on
	}
}
