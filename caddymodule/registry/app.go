package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/shared"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
)

func init() { caddy.RegisterModule(new(App)) }

// App is what all chatkit handlers of one configuration share. A handler loads it
// when it is provisioned, also where it is not configured.
type App struct {
	// What instances share, for all handlers that say nothing else. Default: nothing.
	Shared *shared.FleetConfig `json:"shared,omitempty"`

	link    *shared.Link
	ctx     caddy.Context
	entries []*entry // in the order of the configuration
	routes  []*Route // likewise
	sites   siteList
	series  []func()
	starts  []func()
	claims  map[claim]bool
	created sync.Once

	bound     sync.Once
	mu        sync.Mutex // guards what follows
	providers []*Provider
	leases    []*lease
	over      bool
}

// entry is a provider of the configuration.
type entry struct {
	Settings
	users []User
	link  *shared.Link
}

// User is a handler that uses a provider.
type User struct {
	// Site returns where the handler stands. It is called once the whole
	// configuration is provisioned.
	Site func() Site

	// Bind gives the handler the provider.
	Bind func(*Provider)

	// CheckHealth asks for the provider's health, nil where it is not to be asked.
	CheckHealth func(context.Context) error

	// Link connects the handler to a fleet. It may be nil.
	Link *shared.Link
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
	if a.Shared != nil {
		var err error
		if a.link, err = a.Shared.Take(ctx); err != nil {
			return err
		}
	}
	return register(ctx.GetMetricsRegistry())
}

// Start implements [caddy.App].
func (a *App) Start() error {
	a.Bind()
	return nil
}

// Stop implements [caddy.App].
func (*App) Stop() error { return nil }

// Cleanup gives back the providers that the configuration took. Requests that are
// under way go on with theirs.
func (a *App) Cleanup() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	a.awaitOrphans()
	a.release()
	link := a.link
	a.link = nil
	return link.Release()
}

// Link returns the link for handlers that have none of their own, nil for none.
func (a *App) Link() *shared.Link { return a.link }

func (a *App) release() {
	for _, l := range a.leases {
		l.release()
	}
	a.leases = nil
}

// Take lets a handler use a provider, which it gets when the app is bound. Within
// a configuration a name stands for one provider: it is what metrics, logs and
// commands know it by.
func (a *App) Take(s Settings, u User) error {
	i := slices.IndexFunc(a.entries, func(e *entry) bool { return e.Name == s.Name })
	if i < 0 {
		a.entries = append(a.entries, &entry{Settings: s, users: []User{u}, link: u.Link})
		return nil
	}
	e := a.entries[i]
	switch {
	case e.Hash != s.Hash:
		return errors.New("the name stands for a provider with other settings in this configuration; set another name")
	case u.Link != nil && e.link != nil && !e.link.Same(u.Link):
		return errors.New("the name stands for a provider that another site shares elsewhere; set another name, or the same shared")
	}
	if e.link == nil {
		e.link = u.Link
	}
	e.users = append(e.users, u)
	return nil
}

// Bind takes the providers and gives them to the handlers. That has to wait for the
// start of the configuration, because which state a provider takes over depends on
// its sites, and those are known when all routes are provisioned. Caddy starts apps
// in any order, so a handler calls it too.
func (a *App) Bind() { a.bound.Do(a.bind) }

func (a *App) bind() {
	a.mu.Lock()
	defer a.mu.Unlock()
	store := newForcedStore(a.ctx)
	for _, e := range a.entries {
		var sites Site
		for _, u := range e.users {
			sites = append(sites, u.Site()...)
		}
		slices.Sort(sites)
		l := take(e.Settings, slices.Compact(sites), e.link, store)
		a.leases, a.providers = append(a.leases, l), append(a.providers, l.provider)
		for _, u := range e.users {
			u.Bind(l.provider)
		}
		if check := e.users[0].CheckHealth; check != nil { // one is enough: their settings are the same
			l.unwatch = l.provider.watch(check)
		}
	}
	if !a.over {
		for _, start := range a.starts {
			start()
		}
	}
	if a.over { // a request came in the moment the configuration was refused
		a.release()
	}
}

// all returns the providers of the configuration, in its order.
func (a *App) all() []*Provider {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.providers
}

// claim is a path in one list of routes.
type claim struct {
	container any
	path      string
}

// Claim notes that a handler claims a path in a list of routes, and reports whether
// requests can get there: no handler before it claims the path unconditionally.
func (a *App) Claim(container any, path string, unconditional bool) bool {
	c := claim{container, path}
	if a.claims[c] {
		return false
	}
	if unconditional {
		if a.claims == nil {
			a.claims = make(map[claim]bool)
		}
		a.claims[c] = true
	}
	return true
}

// OnScrape adds a function that creates the metric series of a handler. It is
// called once, and not before the configuration is active.
func (a *App) OnScrape(create func()) { a.series = append(a.series, create) }

// OnStart adds a function that is called once, when the configuration has started and
// the handlers have their providers.
func (a *App) OnStart(start func()) { a.starts = append(a.starts, start) }

// createSeries creates every series of the configuration at 0.
func (a *App) createSeries() {
	a.created.Do(func() {
		shared.InitSeries()
		for _, p := range a.all() {
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
