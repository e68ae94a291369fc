package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
)

func init() { caddy.RegisterModule(new(AdminAPI)) }

// AdminAPI is the product's part of Caddy's admin API:
//
//	GET  /chatkit/providers
//	POST /chatkit/providers/{id}/open   {"for": "10m", "reason": "deploy"}
//	POST /chatkit/providers/{id}/close  {"for": "10m", "reason": "…"}
//	POST /chatkit/providers/{id}/auto
//
// The first answers with a list of [ProviderStatus], the others with the one
// they have changed; errors are Caddy's APIError. The id is a provider's name,
// or what the list has as its id where several sites use the name.
//
// It also keeps /metrics alive: Caddy replaces the admin server before it knows
// whether it will accept a configuration, and after one that was rejected the
// endpoint's registry is that of the rejected configuration, where no handler got
// as far as registering its metrics. Admin modules always do.
type AdminAPI struct{}

// CaddyModule returns the Caddy module information.
func (*AdminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "admin.api.chatkit",
		New: func() caddy.Module { return new(AdminAPI) },
	}
}

// Provision registers the metrics with the admin server's registry.
func (*AdminAPI) Provision(ctx caddy.Context) error { return register(ctx.GetMetricsRegistry()) }

const adminPath = "/chatkit/providers"

// Routes implements [caddy.AdminRouter].
func (*AdminAPI) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{
		{Pattern: adminPath, Handler: caddy.AdminHandlerFunc(listProviders)},
		{Pattern: adminPath + "/", Handler: caddy.AdminHandlerFunc(changeProvider)},
	}
}

func listProviders(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		return wrongMethod(w, r, http.MethodGet)
	}
	return writeJSON(w, providerStatuses())
}

// changeProvider forces a breaker, or ends that.
func changeProvider(w http.ResponseWriter, r *http.Request) error {
	id, action, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, adminPath+"/"), "/")
	act := map[string]func(*gateEntry, *http.Request) error{
		"open":  func(e *gateEntry, r *http.Request) error { return force(e, r, breaker.ForcedOpen) },
		"close": func(e *gateEntry, r *http.Request) error { return force(e, r, breaker.ForcedClosed) },
		"auto":  func(e *gateEntry, _ *http.Request) error { e.gate.Release(); return nil },
	}[action]
	if act == nil {
		return apiError(http.StatusNotFound, "no action %q: open, close or auto", action)
	}
	if r.Method != http.MethodPost {
		return wrongMethod(w, r, http.MethodPost)
	}
	g, err := findGate(id)
	if err != nil {
		return err
	}
	if err := act(g.gateEntry, r); err != nil {
		return err
	}
	return writeJSON(w, g.status())
}

// findGate finds a breaker by the id the list has, or by the name where that is
// of one only.
func findGate(id string) (labeledGate, error) {
	var named []labeledGate
	for _, g := range labeledGates() {
		if g.key == id {
			return g, nil
		}
		if g.name == id {
			named = append(named, g)
		}
	}
	switch len(named) {
	case 1:
		return named[0], nil
	case 0:
		return labeledGate{}, apiError(http.StatusNotFound, "no provider %q", id)
	}
	ids := make([]string, len(named))
	for i, g := range named {
		ids[i] = fmt.Sprintf("%s (%s)", g.key, strings.Join(g.sites(), ", "))
	}
	return labeledGate{}, apiError(http.StatusConflict, "%q is the name of several providers: %s", id, strings.Join(ids, "; "))
}

// Bounds of a forced state.
const (
	maxForced       = 24 * time.Hour
	maxForcedReason = 200
	maxForcedBody   = 4 << 10
)

// force holds a breaker in a state by what the body says.
func force(e *gateEntry, r *http.Request, state breaker.State) error {
	f, err := readForce(r.Body, state)
	if err != nil {
		return err
	}
	e.gate.Force(f)
	return nil
}

func readForce(r io.Reader, state breaker.State) (f breaker.Force, err error) {
	var body struct {
		For    string `json:"for"`
		Reason string `json:"reason"`
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxForcedBody+1))
	switch {
	case err != nil:
		return f, apiError(http.StatusBadRequest, "reading body: %w", err)
	case len(raw) > maxForcedBody:
		return f, apiError(http.StatusRequestEntityTooLarge, "body has more than %d bytes", maxForcedBody)
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil && !errors.Is(err, io.EOF) {
		return f, apiError(http.StatusBadRequest, `body is not {"for": "10m", "reason": "…"}: %w`, err)
	}
	if d.More() {
		return f, apiError(http.StatusBadRequest, "body has more than one value")
	}
	return newForce(state, body.For, body.Reason)
}

// newForce checks what an operator wants.
func newForce(state breaker.State, length, reason string) (f breaker.Force, err error) {
	if length == "" {
		return f, apiError(http.StatusBadRequest, "for is missing: how long, such as 10m")
	}
	d, err := caddy.ParseDuration(length)
	switch {
	case err != nil:
		return f, apiError(http.StatusBadRequest, "for: %q is no duration (such as 30s, 10m, 2h)", length)
	case d <= 0:
		return f, apiError(http.StatusBadRequest, "for: %s is not above 0", d)
	case d > maxForced:
		return f, apiError(http.StatusBadRequest, "for: %s is above 24h", d)
	case utf8.RuneCountInString(reason) > maxForcedReason:
		return f, apiError(http.StatusBadRequest, "reason has more than %d characters", maxForcedReason)
	}
	return breaker.Force{State: state, Until: time.Now().Add(d), Reason: reason}, nil
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
