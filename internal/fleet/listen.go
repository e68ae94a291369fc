package fleet

import (
	"context"
	"time"
)

// listen receives what others tell, and connects again after an error.
func (f *Fleet) listen(ctx context.Context) {
	for {
		err := f.engine.Listen(ctx, f.listening, f.receive)
		if ctx.Err() != nil {
			return
		}
		f.health.listened(f.observer, err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(jittered(retryEvery / 2)):
		}
	}
}

// listening asks for what was told before.
func (f *Fleet) listening() {
	f.health.listened(f.observer, nil)
	f.hurry()
}

// receive passes a message on to whom it is about.
func (f *Fleet) receive(message []byte) {
	plain, err := f.Open(Channel(f.set.Prefix), message)
	if err != nil {
		f.observer.Strange(err)
		return
	}
	w, err := decodeWire(plain)
	if err != nil {
		f.observer.Strange(err)
		return
	}
	if w.Instance == f.id {
		f.observer.Lag(time.Since(f.started) - time.Duration(w.Sent))
		return
	}
	f.observer.Received(w.Kind)
	if w.Kind == Canceled {
		f.sessionCanceled(w.Subject)
		return
	}
	for _, m := range f.of(w.Subject) {
		m.learn(w.fact())
	}
}

// OnCanceled calls heard with the names of sessions that other instances have
// cancelled, until stop is called.
func (f *Fleet) OnCanceled(heard func(session string)) (stop func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.canceled[&heard] = struct{}{}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.canceled, &heard)
	}
}

func (f *Fleet) sessionCanceled(session string) {
	f.mu.Lock()
	all := make([]func(string), 0, len(f.canceled))
	for heard := range f.canceled {
		all = append(all, *heard)
	}
	f.mu.Unlock()
	for _, heard := range all {
		heard(session)
	}
}
