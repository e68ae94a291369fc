package relay_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

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
		return relay.Target{Target: &chain.Target{Name: name, Breaker: breaker.New(breaker.Defaults(), nil, nil), Observer: chaintest.Silent{}}, Send: send}
	}
	targets := []relay.Target{target("a", broken.send), target("b", works.send)}
	r := relay.Relay{
		Failover: relay.Safe, Buffer: 64 << 10, BufferTotal: 8 << 20, FirstByte: firstByte, Idle: idle,
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			want := strings.Repeat(fmt.Sprintf("message %d ", i), 1+i*100)
			a, err := r.Do(relay.Request{Request: post(t.Context(), strings.NewReader(want))}, targets)
			if err != nil {
				t.Error(err)
				return
			}
			defer a.Body.Close()
			if got, err := io.ReadAll(a.Body); string(got) != want || err != nil || a.Target.Name != "b" || len(a.Trail.Steps) != 1 {
				t.Errorf("got %d bytes of %d and %v from %s", len(got), len(want), err, a.Target.Name)
			}
		})
	}
	wg.Wait()
	if n := works.calls.Load(); n != 50 {
		t.Errorf("%d calls for 50 requests", n)
	}
}
