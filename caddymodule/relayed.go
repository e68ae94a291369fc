package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"golang.org/x/net/http/httpguts"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// serveRelayed takes a stream, message, WebSocket or chatkit request through
// its steps.
func (x *exchange) serveRelayed() {
	if refusal := x.prepareRelayed(); refusal != nil {
		x.refuse(refusal)
		return
	}
	inFlight := metrics.streamsInFlight.WithLabelValues(string(x.rt.kind))
	inFlight.Inc()
	defer inFlight.Dec()
	outcome := streamCut // what a panic means
	defer func() { metrics.streams.WithLabelValues(string(x.rt.kind), string(outcome)).Inc() }()
	outcome = x.relayed(&outcome)
}

// prepareRelayed checks the request. It needs no user: the backend that has
// issued the session knows whose it is.
func (x *exchange) prepareRelayed() *refusal {
	if refusal := x.checkOrigin(); refusal != nil {
		return refusal
	}
	check := x.checkMethod
	if x.rt.kind == WebSocketRoute {
		check = x.checkUpgrade
	}
	if refusal := check(); refusal != nil {
		return refusal
	}
	return x.findIssuer()
}

// checkUpgrade lets through what opens a WebSocket: a GET that upgrades, or an
// extended CONNECT (RFC 8441, RFC 9220).
func (x *exchange) checkUpgrade() *refusal {
	switch {
	case x.tail == "." || x.tail == "..":
		return badRequest("Not the name of a session") // but a way to other paths
	case opensWebSocket(x.r):
		return nil
	case x.r.Method == http.MethodGet, x.r.Method == http.MethodConnect && x.r.ProtoMajor >= 2:
		return badRequest("Not a WebSocket request")
	}
	x.setHeader("Allow", "GET, OPTIONS")
	return &refusal{Status: http.StatusMethodNotAllowed, Code: codeMethodNotAllowed, Title: "Method Not Allowed",
		Details: "Open a WebSocket"}
}

// opensWebSocket tells whether reverse_proxy will see a WebSocket in a request,
// and nothing else that upgrades.
func opensWebSocket(r *http.Request) bool {
	switch {
	case r.Method == http.MethodConnect && r.ProtoMajor == 2:
		return r.Header.Get(":protocol") == "websocket"
	case r.Method == http.MethodConnect && r.ProtoMajor == 3:
		return r.Proto == "websocket"
	case r.Method == http.MethodGet && r.ProtoMajor == 1:
		return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
			httpguts.HeaderValuesContainsToken(r.Header["Connection"], "Upgrade")
	}
	return false
}

// relayed carries the request and returns what became of it; early is set to
// that where the proxy ends the connection by a panic.
func (x *exchange) relayed(early *streamOutcome) streamOutcome {
	x.w.Header().Del("Cache-Control") // the answer's own counts
	r := x.r.WithContext(context.WithValue(x.r.Context(), exchangeKey{}, x))
	if x.rt.kind != WebSocketRoute {
		// Only WebSockets upgrade, and only on their routes: anything else
		// (h2c) would be a way past the proxy.
		r.Header = r.Header.Clone()
		r.Header.Del("Upgrade")
		defer lend(x.w, r)()
	}
	w := &relayWriter{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: x.w}, x: x}
	defer func() {
		if e := recover(); e != nil {
			*early = x.ending(streamCut)
			panic(e)
		}
	}()
	err := x.rt.relay.proxy.ServeHTTP(w, r, caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil }))
	if err != nil && !w.wrote {
		return x.answerNotCarried(err)
	}
	return x.ending(streamOK)
}

// socketOutcomes are what becomes of WebSockets.
var socketOutcomes = map[relay.SocketEnd]streamOutcome{
	relay.SocketClosed: streamOK, relay.SocketCut: streamCut, relay.SocketLeft: streamCanceled,
}

// ending is how an answer that had begun came to its end. A WebSocket knows by
// itself: the proxy calls every end of one a success, and the request of one over
// HTTP/2 is canceled as well where the client leaves after it was closed.
func (x *exchange) ending(end streamOutcome) streamOutcome {
	if x.carriedBy != nil {
		if outcome, ok := socketOutcomes[x.carriedBy.SocketEnd()]; ok {
			return outcome
		}
	}
	switch {
	case x.r.Context().Err() != nil:
		return streamCanceled
	case x.carriedBy != nil && x.carriedBy.Idle():
		return streamIdle
	}
	return end
}

// carried notes which backend took the request. Headers that are ours to set
// give way in its answer, so that none is there twice.
func (x *exchange) carried(a *relay.Answer) {
	x.carriedBy, x.provider = a, a.Link.Name
	for name := range a.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			a.Header.Del(name)
		}
	}
	for _, name := range []string{requestIDHeader, providerHeader, reasonHeader} {
		a.Header.Del(name)
	}
	ours := x.w.Header()["Vary"]
	a.Header["Vary"] = slices.DeleteFunc(a.Header["Vary"], func(v string) bool { return slices.Contains(ours, v) })
	if len(a.Trail) > 0 {
		x.reason = a.Trail[0].Verdict.Reason
	}
}

// answerNotCarried answers where no backend took the request.
func (x *exchange) answerNotCarried(err error) streamOutcome {
	x.provider = nobody
	failed, ok := errors.AsType[*relay.Failed](err)
	if x.r.Context().Err() != nil {
		x.leave()
		return streamCanceled
	}
	if !ok {
		x.h.logger.Debug("request could not be carried", zap.Error(err))
		x.writeRefusal(badRequest("Body could not be read"))
		return streamFailed
	}
	if len(failed.Trail) > 0 {
		x.reason = failed.Trail[0].Verdict.Reason
	}
	r := failure(&chain.Result{Trail: failed.Trail, RetryIn: failed.RetryIn})
	if x.rt.kind == ChatKitRoute && streams(failed.Body) {
		x.writeErrorEvent(r)
		return streamFailed
	}
	r.Title = "Chat is unavailable"
	x.setHeader("Cache-Control", "no-store")
	x.writeRefusal(r)
	return streamFailed
}

// streamingTypes are the requests of ChatKit's custom-server protocol that are
// answered by a stream (chatkit-python, chatkit/types.py).
var streamingTypes = map[string]bool{
	"threads.create": true, "threads.add_user_message": true, "threads.add_client_tool_output": true,
	"threads.add_structured_input": true, "threads.retry_after_item": true, "threads.custom_action": true,
}

// streams tells whether a chatkit request is answered by a stream.
func streams(body []byte) bool {
	var req struct {
		Type string `json:"type"`
	}
	return json.Unmarshal(body, &req) == nil && streamingTypes[req.Type]
}

// writeErrorEvent answers a streaming chatkit request with an error the widget
// understands: a 5xx, or another content type, makes it try five times more in
// silence.
func (x *exchange) writeErrorEvent(r *refusal) {
	event, err := json.Marshal(map[string]any{
		"type": "error", "code": "custom", "message": "The chat is unavailable for the moment", "allow_retry": true,
	})
	if err != nil { // strings and a bool always marshal
		event = nil
	}
	sseHeaders(x.w.Header(), x.r)
	x.w.WriteHeader(http.StatusOK)
	_, _ = x.w.Write(append(append([]byte("data: "), event...), "\n\n"...))
	x.h.logger.Debug("chat is unavailable", zap.String("details", r.Details))
}

// isEventStream tells whether a content type is that of an event stream.
func isEventStream(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(t), "text/event-stream")
}

// sseHeaders are those of every event stream that leaves here.
func sseHeaders(h http.Header, r *http.Request) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no")
	if r.ProtoMajor == 1 {
		h.Set("Connection", "keep-alive") // illegal from HTTP/2 on
	}
}

// relayWriter sees the header of a carried answer leave.
type relayWriter struct {
	*caddyhttp.ResponseWriterWrapper

	x     *exchange
	wrote bool

	mu sync.Mutex
}

// Write implements [io.Writer]. Over HTTP/2 Caddy's drain writes the frame that
// closes a WebSocket beside what comes from the backend.
func (w *relayWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ResponseWriterWrapper.Write(p)
}

// FlushError is how [http.ResponseController] flushes.
func (w *relayWriter) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return http.NewResponseController(w.ResponseWriterWrapper.ResponseWriter).Flush()
}

// WriteHeader implements [http.ResponseWriter].
func (w *relayWriter) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.commit()
	}
	w.ResponseWriterWrapper.WriteHeader(status)
}

// commit is the point of no return.
func (w *relayWriter) commit() {
	if w.wrote {
		return
	}
	w.wrote = true
	metrics.firstByte.WithLabelValues(string(w.x.rt.kind)).Observe(time.Since(w.x.start).Seconds())
	h := w.Header()
	w.x.setHeader(providerHeader, w.x.provider)
	if w.x.reason != session.OK {
		w.x.setHeader(reasonHeader, string(w.x.reason))
	}
	if isEventStream(h.Get("Content-Type")) {
		sseHeaders(h, w.x.r)
	}
}
