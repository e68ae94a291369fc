package caddymodule

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
)

// rewriteWarnings are throttled by the kind of route.
type rewriteWarnings struct{ telemetry.Throttle }

// warnRewritten warns of a request that is not claimed only because a directive in
// front, such as try_files, has changed its path. It is not claimed by its first
// path: forward_auth and basic_auth on that path have not seen it either.
func (h *Handler) warnRewritten(r *http.Request) {
	first, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if !ok || first.URL.Path == r.URL.Path {
		return
	}
	rt, _ := h.claim(&first)
	if rt == nil {
		return
	}
	// Not the paths: that of a WebSocket has a session in it.
	if pass, held := h.rewritten.Pass(string(rt.kind)); pass {
		h.logger.Warn("a claimed path was rewritten in front of chatkit, which does not serve it; put try_files or rewrite into a handle block",
			zap.String("route", string(rt.kind)), zap.Int("suppressed", held))
	}
}
