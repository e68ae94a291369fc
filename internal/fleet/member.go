package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync/atomic"
	"time"
)

// Local is what an instance knows of a subject: of a provider with its settings, or
// of what an operator has forced.
type Local interface {
	// Learn takes over what another instance knows, where it does not know better.
	Learn(f Fact)

	// Know returns what this instance has found out itself and still holds.
	Know() []Fact

	// Status returns what the instance says of itself, "" for nothing.
	Status() Status
}

// Status is what an instance says of itself.
type Status struct {
	Name   string        `json:"n"`
	State  string        `json:"s"`
	For    time.Duration `json:"f"` // how long it has been in that state
	Cooled bool          `json:"c,omitempty"`
	Lease  bool          `json:"l,omitempty"` // it alone may probe
}

// Instance is an instance of the fleet, as it was Age ago.
type Instance struct {
	Status
	ID   string
	Age  time.Duration
	Self bool
}

// life is how long an instance is on the roll that says nothing.
const life = 4 * syncEvery

// slack is how much longer an own fact has to hold to be told again.
const slack = 500 * time.Millisecond

// releasedFor is how long it is remembered that a state is not forced any more:
// longer than any can be forced.
const releasedFor = 25 * time.Hour

// Member speaks for what an instance knows of a subject.
type Member struct {
	fleet   *Fleet
	subject string
	kinds   []Kind
	local   Local
	news    atomic.Int64 // counts what was told and learned
	lease   lease
}

// Join makes the instance speak for a subject. kinds are those of the facts that are
// kept about it.
func (f *Fleet) Join(subject string, local Local, kinds ...Kind) *Member {
	m := &Member{fleet: f, subject: subject, kinds: kinds, local: local}
	f.mu.Lock()
	f.members = append(f.members, m)
	f.mu.Unlock()
	f.hurry()
	return m
}

// Up reports whether the store can be used.
func (m *Member) Up() bool { return m.fleet.Up() }

// Leave ends that.
func (m *Member) Leave() {
	f := m.fleet
	f.mu.Lock()
	f.members = slices.DeleteFunc(f.members, func(other *Member) bool { return other == m })
	f.mu.Unlock()
	if f.health.good() && len(f.of(m.subject)) == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), f.set.Timeout)
		defer cancel()
		m.leave(ctx)
	}
}

// leave takes the instance off the roll.
func (m *Member) leave(ctx context.Context) {
	if m.local.Status().State != "" {
		_ = m.fleet.engine.Beat(ctx, m.key(roll), m.fleet.id, nil, life) // it is forgotten by itself, too
	}
}

// What keys are about, besides facts.
const (
	roll  = "instances"
	probe = "lease"
)

func (m *Member) key(what string) string { return m.fleet.key(m.subject, what) }

// place returns the key that facts of a kind are kept under.
func (m *Member) place(k Kind) string {
	if k == Released {
		k = Forced
	}
	return m.key(string(k))
}

// Tell tells the others. It never waits.
func (m *Member) Tell(f Fact) {
	m.news.Add(1)
	if f.Kind == Opened || f.Kind == Closed {
		m.lease.over()
	}
	w := wireOf(f, m.subject)
	p := parcel{kind: f.Kind, fact: &w, entry: Entry{Key: m.place(f.Kind), TTL: f.Left}}
	switch f.Kind {
	case Opened:
		p.entry.Rule, p.entry.Drop = Longest, []string{m.key(probe)}
	case Cooled:
		p.entry.Rule = Longest
	case Forced:
		p.entry.Rule, p.entry.Age = Newest, f.Age
	case Released:
		p.entry.Rule, p.entry.Age, p.entry.TTL = Newest, f.Age, releasedFor
	case Closed:
		p.entry.TTL, p.entry.Drop = 0, []string{m.place(Opened), m.key(probe)}
	default:
		return
	}
	m.fleet.post(p)
}

// learn takes over a message.
func (m *Member) learn(f Fact) {
	m.news.Add(1)
	switch f.Kind {
	case Opened, Closed, Freed:
		m.lease.over()
	default:
	}
	if f.Kind != Freed {
		m.local.Learn(f)
	}
}

// sync compares what is known here with what is kept.
func (m *Member) sync(ctx context.Context) error {
	if err := m.beat(ctx); err != nil {
		return err
	}
	keys := make([]string, len(m.kinds))
	for i, k := range m.kinds {
		keys[i] = m.place(k)
	}
	if len(keys) == 0 {
		return nil
	}
	before := m.news.Load()
	kept, err := m.fleet.engine.Look(ctx, keys)
	if err != nil {
		return err
	}
	if len(kept) != len(keys) {
		return errors.New("the store gave another number of values than was asked for")
	}
	if m.news.Load() != before {
		return nil // what was read may be over; the next time is soon
	}
	own := m.local.Know()
	for i, k := range m.kinds {
		m.compare(k, keys[i], kept[i], own)
	}
	return nil
}

// compare takes over what is kept, or tells what this instance knows better.
func (m *Member) compare(k Kind, key string, kept Kept, own []Fact) {
	there, ok := m.read(key, kept)
	for _, f := range own {
		if m.place(f.Kind) != m.place(k) {
			continue
		}
		better := !ok || f.Left > there.Left+slack
		if k == Forced {
			better = !ok || f.Age+slack < there.Age
		}
		if better {
			m.Tell(f)
			return
		}
	}
	if ok {
		m.local.Learn(there)
	}
}

// read returns the fact that is kept.
func (m *Member) read(key string, kept Kept) (Fact, bool) {
	if kept.Value == nil {
		return Fact{}, false
	}
	plain, err := m.fleet.Open(key, kept.Value)
	if err == nil {
		var w wire
		if w, err = decodeWire(plain); err == nil {
			f := w.fact()
			f.Age = kept.Age
			if f.Kind != Released {
				f.Left = kept.Left
			}
			return f, true
		}
	}
	m.fleet.observer.Strange(err)
	return Fact{}, false
}

// beat says that this instance is there.
func (m *Member) beat(ctx context.Context) error {
	s := m.local.Status()
	if s.State == "" {
		return nil
	}
	s.Name, s.Lease = m.fleet.set.Name, m.lease.held()
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	key := m.key(roll)
	return m.fleet.engine.Beat(ctx, key, m.fleet.id, m.fleet.Seal(key, raw), life)
}

// Instances returns the instances that speak for the same subject, this one too.
func (m *Member) Instances(ctx context.Context) ([]Instance, error) {
	key := m.key(roll)
	beats, err := m.fleet.engine.Roll(ctx, key, life)
	if err != nil {
		return nil, err
	}
	list := make([]Instance, 0, len(beats))
	for id, b := range beats {
		plain, err := m.fleet.Open(key, b.Value)
		var s Status
		if err == nil {
			err = json.Unmarshal(plain, &s)
		}
		if err != nil {
			m.fleet.observer.Strange(err)
			continue
		}
		s.For += b.Age
		list = append(list, Instance{Status: s, ID: id, Age: b.Age, Self: id == m.fleet.id})
	}
	return list, nil
}
