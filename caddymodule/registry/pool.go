package registry

import (
	"slices"
	"sync"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/shared"
	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/bulkhead"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/hedge"
	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/tally"
)

// Settings are the settings of a provider, as far as the registry has to know.
type Settings struct {
	// Name and Module are the provider's name and that of its module.
	Name, Module string

	// Hash identifies all settings of the provider.
	Hash string

	// Identity is the settings of the provider without secrets, as other instances
	// have them too.
	Identity string

	Breaker breaker.Settings

	// MaxInFlight bounds how many attempts are under way at once.
	MaxInFlight int

	// MaxRate bounds how many sessions it is asked for, nil for no bound.
	MaxRate *ratelimit.Rate

	// Hedge is when the next provider is asked as well, nil for never.
	Hedge *time.Duration
}

// pool holds the providers in use. A reload takes those of the new configuration
// before it gives back those of the old one, so one that has not changed lives on.
// Caddy's UsagePool cannot do it: it looks things up by one key, and a provider
// goes on where any of its sites does.
var pool struct {
	sync.Mutex
	owners []*owner
}

// owner is a provider's name at its sites. A reload that changes the provider's
// settings leaves it as it is.
type owner struct {
	name     string
	override *breaker.Override
	leases   []*lease

	mu      sync.Mutex
	records []string  // keys of what is stored of its forced state
	at      time.Time // when an operator has forced or released it last
	own     bool      // here
	fleet   place
}

// lease is a configuration's use of a provider.
type lease struct {
	owner    *owner
	sites    Site
	provider *Provider
	unwatch  func() // ends its checks of health
	link     *shared.Link
	identity string
}

// take takes a provider from the pool, and makes it if nobody has it at these
// sites.
func take(s Settings, sites Site, link *shared.Link, store *forcedStore) *lease {
	pool.Lock()
	defer pool.Unlock()
	l := &lease{owner: ownerOf(s.Name, sites, store), sites: sites, unwatch: func() {}, link: link, identity: s.Identity}
	for _, other := range l.owner.leases {
		if other.provider.hash == s.Hash {
			l.provider = other.provider
		}
	}
	if l.provider == nil {
		l.provider = newProvider(s, l.owner)
	}
	where := sites.String()
	l.provider.where.Store(&where)
	l.owner.leases = append(l.owner.leases, l)
	l.owner.share()
	return l
}

// ownerOf finds a name at any of these sites.
func ownerOf(name string, sites Site, store *forcedStore) *owner {
	for _, o := range pool.owners {
		if o.name == name && slices.ContainsFunc(o.leases, func(l *lease) bool { return l.sites.overlaps(sites) }) {
			return o
		}
	}
	o := &owner{name: name, override: breaker.NewOverride()}
	store.restore(o, sites)
	pool.owners = append(pool.owners, o)
	return o
}

func newProvider(s Settings, o *owner) *Provider {
	p := &Provider{Name: s.Name, Module: s.Module, RetryBudget: chain.NewRetryBudget(), hash: s.Hash, owner: o}
	p.tally, p.Places = tally.New(), bulkhead.New(s.MaxInFlight)
	p.Breaker = breaker.New(s.Breaker, o.override, p.changed)
	p.tally.Begin(string(p.Breaker.State()))
	p.Orphans = orphan.New(p.orphaned)
	if s.Hedge != nil {
		p.Hedge = hedge.New(*s.Hedge)
	}
	if s.MaxRate != nil {
		p.Cap = newCap(p, *s.MaxRate)
	}
	return p
}

// release gives a provider back.
func (l *lease) release() {
	l.unwatch()
	pool.Lock()
	defer pool.Unlock()
	o := l.owner
	o.leases = slices.DeleteFunc(o.leases, func(other *lease) bool { return other == l })
	if !slices.ContainsFunc(o.leases, func(other *lease) bool { return other.provider == l.provider }) {
		l.provider.unshare()
		l.provider.Breaker.Close()
	}
	o.share()
	if len(o.leases) == 0 {
		o.fleet.move(nil, "", nil)
		o.override.Close()
		pool.owners = slices.DeleteFunc(pool.owners, func(other *owner) bool { return other == o })
	}
}

// sites returns all sites of an owner.
func (o *owner) sites() (sites Site) {
	pool.Lock()
	defer pool.Unlock()
	return o.allSites()
}

// allSites is sites where the pool is locked.
func (o *owner) allSites() (sites Site) {
	for _, l := range o.leases {
		sites = append(sites, l.sites...)
	}
	slices.Sort(sites)
	return slices.Compact(sites)
}
