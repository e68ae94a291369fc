package chain_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/hedge"
	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// orphans is what became of the sessions that nobody got, by provider.
type orphans struct {
	mu        sync.Mutex
	canceled  []string
	results   []string
	withdrawn []string
}

// keep lets a fake cancel its sessions.
func (o *orphans) keep(f *fake) {
	f.Orphans = orphan.New(func(_ string, r orphan.Result, _ error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.results = append(o.results, f.Name+" "+string(r))
	})
	f.Late = true
	f.Discard = func(_ context.Context, s *session.Session, id string) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.canceled = append(o.canceled, f.Name+" "+s.Secret.Reveal()+" "+id)
		return nil
	}
}

// hedging is a rig of providers that can cancel, of which the first is hedged after 100
// ms. Ten requests have been there before, so that one may be.
func hedging(t *testing.T, all ...answer) (r *rig, o *orphans, fakes []*fake) {
	t.Helper()
	r, o = newRig(t), new(orphans)
	for i, a := range all {
		f := r.add(string(rune('a'+i)), a)
		o.keep(f)
		fakes = append(fakes, f)
	}
	r.Withdrawn = func(s *session.Session) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.withdrawn = append(o.withdrawn, s.Secret.Reveal())
	}
	fakes[0].Hedge = hedge.New(100 * ms)
	for range 9 {
		fakes[0].Hedge.Asked()
	}
	return r, o, fakes
}

// later is what an honest provider does that takes a while.
func later(d time.Duration, then answer) answer {
	return func(ctx context.Context) (session.Session, error) {
		select {
		case <-time.After(d):
			return then(ctx)
		case <-ctx.Done():
			return session.Session{}, ctx.Err()
		}
	}
}

// settle waits until what lost is over.
func settle() {
	time.Sleep(time.Minute)
	synctest.Wait()
}

// full takes all places of a keeper.
func full(k *orphan.Keeper, kind orphan.Kind) {
	for ok := true; ok; {
		_, ok = k.Hold(kind)
	}
}
