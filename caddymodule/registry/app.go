package registry

import (
	"errors"
	"fmt"
	"sync"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
)

func init() { caddy.RegisterModule(new(App)) }

// App is what all chatkit handlers of one configuration share. It has no settings:
// a handler loads it when it is provisioned.
type App struct {
	ctx       caddy.Context
	providers []*Provider // in the order of the configuration
	routes    []*Route    // likewise
	sites     siteList
	series    []func()
	created   sync.Once
}

// appID is the app's module ID.
const appID = "chatkit"

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: appID, New: func() caddy.Module { return new(App) }}
}

// Of returns the app of a configuration that is being provisioned.
func Of(ctx caddy.Context) (*App, error) {
	v, err := ctx.App(appID)
	if err != nil {
		return nil, err
	}
	a, ok := v.(*App)
	if !ok {
		return nil, fmt.Errorf("app %s is a %T", appID, v)
	}
	return a, nil
}

// active returns the app of the active configuration, an empty one where that has
// none.
func active() *App {
	v, err := caddy.ActiveContext().AppIfConfigured(appID)
	if a, ok := v.(*App); ok && err == nil {
		return a
	}
	return new(App)
}

// Provision makes the metrics part of the configuration.
func (a *App) Provision(ctx caddy.Context) error {
	a.ctx = ctx
	return register(ctx.GetMetricsRegistry())
}

// Start implements [caddy.App].
func (*App) Start() error { return nil }

// Stop implements [caddy.App].
func (*App) Stop() error { return nil }

// Cleanup gives back the providers that the configuration took. Requests that are
// under way go on with theirs.
func (a *App) Cleanup() error {
	errs := make([]error, 0, len(a.providers))
	for _, p := range a.providers {
		_, err := providers.Delete(p.key)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Take returns the provider with these settings. Within a configuration a name
// stands for one provider: it is what metrics, logs and commands know it by.
func (a *App) Take(s Settings) (*Provider, error) {
	for _, p := range a.providers {
		switch {
		case p.Name != s.Name:
		case p.key == s.key():
			return p, nil
		default:
			return nil, errors.New("the name stands for a provider with other settings in this configuration; set another name")
		}
	}
	p, err := take(s)
	if err != nil {
		return nil, err
	}
	a.providers = append(a.providers, p)
	return p, nil
}

// OnScrape adds a function that creates the metric series of a handler. It is
// called once, and not before the configuration is active.
func (a *App) OnScrape(create func()) { a.series = append(a.series, create) }

// createSeries creates every series of the configuration at 0.
func (a *App) createSeries() {
	a.created.Do(func() {
		for _, p := range a.providers {
			telemetry.InitProvider(p.Name)
		}
		for _, create := range a.series {
			create()
		}
	})
}

// Interface guards.
var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
