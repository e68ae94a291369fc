package fleet

import (
	"context"
	"time"
)

// Sizes of the queues. Facts are few and do not wait behind sessions.
const (
	maxFacts   = 1024
	maxEntries = 8192
	maxBatch   = 256
)

// parcel is something that is to be sent.
type parcel struct {
	kind  Kind
	at    time.Time
	entry Entry
	plain []byte // the value before it is sealed
	fact  *wire  // the message, nil for none
}

// outbox is what is to be sent.
type outbox struct{ facts, entries chan parcel }

func newOutbox() outbox {
	return outbox{make(chan parcel, maxFacts), make(chan parcel, maxEntries)}
}

// post queues something to be sent, and never waits.
func (f *Fleet) post(p parcel) {
	to := f.outbox.entries
	if p.fact != nil {
		to = f.outbox.facts
	}
	p.at = time.Now()
	select {
	case to <- p:
	default:
		f.observer.Dropped(p.kind)
	}
}

// send sends what is queued, facts first.
func (f *Fleet) send(ctx context.Context) {
	for {
		select {
		case p := <-f.outbox.facts:
			f.deliver(ctx, f.batch(p))
			continue
		default:
		}
		select {
		case p := <-f.outbox.facts:
			f.deliver(ctx, f.batch(p))
		case p := <-f.outbox.entries:
			f.deliver(ctx, f.batch(p))
		case <-ctx.Done():
			return
		}
	}
}

// flush sends what is left in the queues.
func (f *Fleet) flush(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case p := <-f.outbox.facts:
			f.deliver(ctx, f.batch(p))
		case p := <-f.outbox.entries:
			f.deliver(ctx, f.batch(p))
		default:
			return
		}
	}
}

// batch returns a parcel with those that are queued behind it.
func (f *Fleet) batch(first parcel) []parcel {
	from := f.outbox.entries
	if first.fact != nil {
		from = f.outbox.facts
	}
	list := []parcel{first}
	for len(list) < maxBatch {
		select {
		case p := <-from:
			list = append(list, p)
		default:
			return list
		}
	}
	return list
}

// deliver sends parcels. What does not get through is counted: facts are told again
// when the store is back.
func (f *Fleet) deliver(ctx context.Context, list []parcel) {
	ctx, cancel := context.WithTimeout(ctx, background)
	defer cancel()
	entries := make([]Entry, 0, len(list))
	for i := range list {
		if f.seal(&list[i]) {
			entries = append(entries, list[i].entry)
		}
	}
	count := f.observer.Sent
	if err := f.engine.Put(ctx, entries); err != nil {
		count = f.observer.Dropped
		f.hurry()
	}
	for _, p := range list {
		count(p.kind)
	}
}

// seal encrypts a parcel, less the time that it has waited. It reports whether the
// parcel still says something.
func (f *Fleet) seal(p *parcel) bool {
	waited := time.Since(p.at)
	if p.entry.TTL > 0 {
		p.entry.TTL -= waited
		if p.entry.TTL < time.Millisecond {
			return false
		}
	}
	p.entry.Age += waited
	if w := p.fact; w != nil {
		w.Instance, w.Sent = f.id, int64(p.at.Sub(f.started))
		w.Left, w.Age = max(w.Left-waited.Milliseconds(), 0), w.Age+waited.Milliseconds()
		raw := w.encode()
		p.entry.Message = f.Seal(Channel(f.set.Prefix), raw)
		if p.plain == nil {
			p.plain = raw
		}
	}
	if p.entry.TTL > 0 {
		p.entry.Value = f.Seal(p.entry.Key, p.plain)
	}
	return true
}
