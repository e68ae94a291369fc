package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
)

func init() { caddy.RegisterModule(new(AdminAPI)) }

// AdminAPI is the product's part of Caddy's admin API:
//
//	GET  /chatkit/providers
//	GET  /chatkit/fallbacks
//	GET  /chatkit/status
//	GET  /chatkit/events?every=2s
//	GET  /chatkit/live
//	GET  /chatkit/ready
//	POST /chatkit/providers/{name}/open   {"for": "10m", "reason": "deploy"}
//	POST /chatkit/providers/{name}/close  {"for": "10m", "reason": "…"}
//	POST /chatkit/providers/{name}/auto
//
// The first answers with a list of [ProviderStatus], those with POST with the one
// they have changed; fallbacks with a list of [Fallback], status with an [Overview],
// events with a stream of them, ready with a [Readiness]. Errors are Caddy's
// APIError.
//
// It also keeps /metrics alive. Caddy replaces the admin server before it knows
// whether it will accept a configuration. After a refused one the endpoint serves
// the registry of that configuration, where no handler may have got as far as
// registering the metrics. Admin modules always do.
type AdminAPI struct{ events Events }

// CaddyModule returns the Caddy module information.
func (*AdminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "admin.api.chatkit",
		New: func() caddy.Module { return new(AdminAPI) },
	}
}

// Provision registers the metrics with the admin server's registry.
func (a *AdminAPI) Provision(ctx caddy.Context) error {
	a.events = Events{Done: ctx.Done()}
	return register(ctx.GetMetricsRegistry())
}

const adminPath = "/chatkit/providers"

// Routes implements [caddy.AdminRouter].
func (a *AdminAPI) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{
		{Pattern: adminPath, Handler: reads(func() any { return active().statuses() })},
		{Pattern: "/chatkit/fallbacks", Handler: reads(func() any { return fallbacks.list() })},
		{Pattern: "/chatkit/status", Handler: reads(func() any { return Look() })},
		{Pattern: "/chatkit/events", Handler: answers(a.events.ServeHTTP)},
		{Pattern: "/chatkit/live", Handler: answers(ServeLive)},
		{Pattern: "/chatkit/ready", Handler: answers(ServeReady)},
		{Pattern: adminPath + "/", Handler: caddy.AdminHandlerFunc(changeProvider)},
	}
}

// reads returns a handler that answers with a value.
func reads(value func() any) caddy.AdminHandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodGet {
			return wrongMethod(w, r, http.MethodGet)
		}
		return writeJSON(w, value())
	}
}

// answers returns a handler whose answers are never errors of the API.
func answers(serve http.HandlerFunc) caddy.AdminHandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return wrongMethod(w, r, http.MethodGet)
		}
		serve(w, r)
		return nil
	}
}

// changeProvider forces a breaker or releases it.
func changeProvider(w http.ResponseWriter, r *http.Request) error {
	name, action, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, adminPath+"/"), "/")
	act := map[string]func(*owner, *http.Request, *forcedStore) error{
		"open":  forcer(breaker.ForcedOpen),
		"close": forcer(breaker.ForcedClosed),
		"auto":  release,
	}[action]
	if act == nil {
		return apiError(http.StatusNotFound, "unknown action %q (want open, close or auto)", action)
	}
	if r.Method != http.MethodPost {
		return wrongMethod(w, r, http.MethodPost)
	}
	app := active()
	p, err := app.find(name)
	if err != nil {
		return err
	}
	if err := act(p.owner, r, newForcedStore(app.ctx)); err != nil {
		return err
	}
	return writeJSON(w, app.status(p))
}

// find finds a provider by its name.
func (a *App) find(name string) (*Provider, error) {
	for _, p := range a.all() {
		if p.Name == name {
			return p, nil
		}
	}
	if len(a.all()) == 0 {
		return nil, apiError(http.StatusNotFound, "no provider %q (the configuration has none)", name)
	}
	return nil, apiError(http.StatusNotFound, "no provider %q (want %s)", name, strings.Join(names(a.all()), ", "))
}

// Bounds of a forced state.
const (
	maxForced       = 24 * time.Hour
	maxForcedReason = 200
	maxForcedBody   = 4 << 10
)

// forcer returns what holds a provider in a state, as the body of a request says.
func forcer(state breaker.State) func(*owner, *http.Request, *forcedStore) error {
	return func(o *owner, r *http.Request, s *forcedStore) error {
		f, err := readForce(r.Body, state)
		if err != nil {
			return err
		}
		f.By = strings.TrimSpace(f.By + identity(r))
		o.force(r.Context(), s, f)
		return nil
	}
}

func release(o *owner, r *http.Request, s *forcedStore) error {
	o.release(r.Context(), s)
	return nil
}

func readForce(r io.ReadCloser, state breaker.State) (f breaker.Force, err error) {
	var body struct {
		For    string `json:"for"`
		Reason string `json:"reason"`
		By     string `json:"by"`
	}
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r, maxForcedBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return f, apiError(http.StatusRequestEntityTooLarge, "body has more than %d bytes", maxForcedBody)
	} else if err != nil {
		return f, apiError(http.StatusBadRequest, "reading body: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil && !errors.Is(err, io.EOF) {
		return f, apiError(http.StatusBadRequest, `body is not {"for": "10m", "reason": "…"}: %w`, err)
	}
	if d.More() {
		return f, apiError(http.StatusBadRequest, "body has more than one value")
	}
	f, err = newForce(state, body.For, body.Reason)
	f.By = who(body.By)
	return f, err
}

// newForce checks a force request.
func newForce(state breaker.State, length, reason string) (f breaker.Force, err error) {
	if length == "" {
		return f, apiError(http.StatusBadRequest, "for is missing (want 30s, 10m, 2h)")
	}
	d, err := caddy.ParseDuration(length)
	switch {
	case err != nil:
		return f, apiError(http.StatusBadRequest, "invalid for %q (want 30s, 10m, 2h)", length)
	case d <= 0:
		return f, apiError(http.StatusBadRequest, "invalid for %q (want above 0)", length)
	case d > maxForced:
		return f, apiError(http.StatusBadRequest, "invalid for %q (want at most 24h)", length)
	}
	if err := checkReason(reason); err != nil {
		return f, apiError(http.StatusBadRequest, "%w", err)
	}
	now := time.Now()
	return breaker.Force{State: state, Until: now.Add(d), Reason: reason, At: now}, nil
}

// checkReason returns an error for a reason that is too long, or that could change
// how the terminal or the page looks that shows it.
func checkReason(reason string) error {
	if utf8.RuneCountInString(reason) > maxForcedReason {
		return fmt.Errorf("reason has more than %d characters", maxForcedReason)
	}
	for _, c := range reason {
		if unicode.In(c, unicode.C, unicode.Zl, unicode.Zp) {
			return fmt.Errorf("reason has the character %U (want text without control and format characters)", c)
		}
	}
	return nil
}

func wrongMethod(w http.ResponseWriter, r *http.Request, allow string) error {
	w.Header().Set("Allow", allow)
	return apiError(http.StatusMethodNotAllowed, "%s is not allowed, use %s", r.Method, allow)
}

func apiError(status int, format string, args ...any) error {
	return caddy.APIError{HTTPStatus: status, Err: fmt.Errorf(format, args...)}
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

// Interface guards.
var (
	_ caddy.Provisioner = (*AdminAPI)(nil)
	_ caddy.AdminRouter = (*AdminAPI)(nil)
)
