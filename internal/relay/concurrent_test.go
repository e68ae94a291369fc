package relay_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// silent is an observer that keeps nothing, so that many may share it.
type silent struct{}

func (silent) Attempted(*chain.Link, session.Verdict, time.Duration, error) {}
func (silent) Skipped(*chain.Link, session.Reason)                          {}
func (silent) Retrying(*chain.Link)                                         {}

// busy takes no request.
func busy(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusServiceUnavailable)
}

// Many at once, over sockets, past a target whose breaker opens meanwhile: each
// gets its own body back, small and large.
func TestCarryConcurrently(t *testing.T) {
	broken, works := serve(t, busy), serve(t, echoes)
	target := func(name string, send send) relay.Target {
		return relay.Target{Link: &chain.Link{Name: name, Gate: breaker.New(breaker.Defaults(), nil)}, Send: send}
	}
	r := relay.Relay{
		Targets:  []relay.Target{target("a", broken.send), target("b", works.send)},
		Failover: relay.Safe, Buffer: 64 << 10, FirstByte: firstByte, Idle: idle,
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			want := strings.Repeat(fmt.Sprintf("message %d ", i), 1+i*100)
			a, err := r.Carry(post(t.Context(), strings.NewReader(want)), silent{})
			if err != nil {
				t.Error(err)
				return
			}
			defer a.Body.Close()
			if got, err := io.ReadAll(a.Body); string(got) != want || err != nil || a.Link.Name != "b" || len(a.Trail) != 1 {
				t.Errorf("got %d bytes of %d and %v from %s", len(got), len(want), err, a.Link.Name)
			}
		})
	}
	wg.Wait()
	if n := works.calls.Load(); n != 50 {
		t.Errorf("%d calls for 50 requests", n)
	}
}
