package registry

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
)

// InstanceStatus is what an instance of the fleet says of a provider.
type InstanceStatus struct {
	// The name of its machine, and what tells it from others there.
	Name string `json:"name"`
	ID   string `json:"id"`

	// The state of its breaker, and since when.
	State string    `json:"state"`
	Since time.Time `json:"since"`

	// Whether the provider has asked it to wait, whether it alone may probe, and
	// whether it is this instance.
	Cooldown bool `json:"cooldown,omitempty"`
	Lease    bool `json:"lease,omitempty"`
	Self     bool `json:"self,omitempty"`

	// When it has said so.
	At time.Time `json:"at"`
}

// Bounds of asking for the instances: for whoever looks, not for requests.
const (
	rollTimeout = 500 * time.Millisecond
	rollAge     = time.Second
)

// rolled is the instances as they were last asked for.
type rolled struct {
	mu   sync.Mutex
	at   time.Time
	from *fleet.Member
	list []InstanceStatus
}

// instances returns the instances of the fleet, nil where they are not known.
func (p *Provider) instances() []InstanceStatus {
	m := p.fleet.in()
	if m == nil || !m.Up() {
		return nil
	}
	r := &p.roll
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.from == m && time.Since(r.at) < rollAge {
		return r.list
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollTimeout)
	defer cancel()
	all, err := m.Instances(ctx)
	if err != nil {
		return nil
	}
	r.at, r.from, r.list = time.Now(), m, make([]InstanceStatus, 0, len(all))
	for _, i := range all {
		r.list = append(r.list, InstanceStatus{
			Name: who(i.Name), ID: i.ID, State: who(i.State), Since: r.at.Add(-i.For).UTC(), Cooldown: i.Cooled,
			Lease: i.Lease, Self: i.Self, At: r.at.Add(-i.Age).UTC(),
		})
	}
	slices.SortFunc(r.list, func(a, b InstanceStatus) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return r.list
}
