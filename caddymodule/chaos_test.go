package caddymodule_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// breaking are the faults that must never reach a client.
func breaking() (faults []sandbox.Fault) {
	for _, f := range sandbox.Faults() {
		switch f {
		case sandbox.None, sandbox.Status400, sandbox.Status403, sandbox.Status409, sandbox.Status422:
		default:
			faults = append(faults, f)
		}
	}
	return faults
}

// 16 clients for 12 s while the backend flips between all faults and health:
// every request gets a session.
func TestChaos(t *testing.T) {
	s := newSite(t, `
	anonymous
	provider backend {env.TEST_BACKEND_URL} {
		key {env.TEST_BACKEND_KEY}
		timeout 300ms
		breaker {
			open 200ms 1s
		}
	}`+openaiOnly)
	const (
		clients = 16
		length  = 12 * time.Second
	)
	end := time.Now().Add(length)
	var served, fallbacks, unserved atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for time.Now().Before(end) {
				a, err := s.Try(http.MethodPost, "/api/custom/session", "")
				switch {
				case err != nil || a.Status != http.StatusOK || a.Body["client_secret"] == "":
					unserved.Add(1)
					t.Errorf("got %d, %v: %s", a.Status, err, a.Raw)
				case a.Provider() == "backend":
					served.Add(1)
				default:
					fallbacks.Add(1)
				}
			}
		})
	}
	flip(t, s.Backend, end)
	wg.Wait()
	t.Logf("%d sessions from backend, %d from openai, %d requests without one", served.Load(), fallbacks.Load(), unserved.Load())
	if served.Load() == 0 || fallbacks.Load() == 0 {
		t.Error("the test did not see both providers serve")
	}
}

// flip breaks and heals a server until end, each fault at least once.
func flip(t *testing.T, server *sandbox.Server, end time.Time) {
	t.Helper()
	faults := breaking()
	tick := time.NewTicker(time.Until(end) / time.Duration(2*len(faults)+1))
	defer tick.Stop()
	for _, f := range faults {
		testsite.Set(t, server, f)
		<-tick.C
		testsite.Set(t, server, sandbox.None)
		<-tick.C
	}
}
