package fleet

import (
	"context"
	"errors"
	"time"
)

// ErrRefused is the error of an engine that answers, but does not do what it is
// asked: one that is full or read-only. To ask it is quick.
var ErrRefused = errors.New("refused")

// ask asks a question that a request waits for. After one without an answer in time
// the background tests the store, and nothing is asked while that is too slow.
func (f *Fleet) ask(ctx context.Context, question func(ctx context.Context) (found bool, err error)) Result {
	if !f.asks.Load() {
		f.observer.Looked(Skipped)
		return Skipped
	}
	limited, cancel := context.WithTimeout(ctx, f.set.Timeout)
	defer cancel()
	found, err := question(limited)
	r := Miss
	switch {
	case err == nil && found:
		r = Hit
	case err == nil:
	case ctx.Err() != nil: // the client has left
		r = Skipped
	default:
		r = Failed
		if limited.Err() != nil {
			r = Slow
		}
		if !errors.Is(err, ErrRefused) {
			f.hurry()
		}
	}
	f.observer.Looked(r)
	return r
}

// place returns the name of a key about one thing.
func (f *Fleet) place(k Kind, name string) string {
	return f.set.Prefix + ":" + string(k) + ":" + name
}

// Keep keeps a text about a thing, for all instances. It never waits.
func (f *Fleet) Keep(k Kind, name string, text []byte, ttl time.Duration, rule Rule) {
	f.post(parcel{kind: k, plain: text, entry: Entry{Key: f.place(k, name), TTL: ttl, Rule: rule}})
}

// Get returns the text that is kept about a thing. A request may wait for it.
func (f *Fleet) Get(ctx context.Context, k Kind, name string) (text []byte, r Result) {
	key := f.place(k, name)
	r = f.ask(ctx, func(ctx context.Context) (bool, error) {
		kept, err := f.engine.Look(ctx, []string{key})
		if err != nil || len(kept) != 1 || kept[0].Value == nil {
			return false, err
		}
		if text, err = f.Open(key, kept[0].Value); err != nil {
			f.observer.Strange(err)
			return false, nil // it is as good as not there
		}
		return true, nil
	})
	return text, r
}

// Cancel keeps that a session is cancelled, and tells all instances at once. It
// never waits.
func (f *Fleet) Cancel(name string, text []byte, ttl time.Duration) {
	w := wire{Kind: Canceled, Subject: name}
	f.post(parcel{kind: Canceled, plain: text, fact: &w, entry: Entry{Key: f.place(Session, name), TTL: ttl}})
}
