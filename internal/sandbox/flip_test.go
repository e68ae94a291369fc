package sandbox_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

func TestFlippingFaultsUnderLoad(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			s := k.run(t, sandbox.Options{SlowBy: time.Millisecond})
			stop, flips := make(chan struct{}), 3
			var crowd sync.WaitGroup
			for range 16 {
				c := newClient(t)
				crowd.Go(func() { askUntil(t, k, c, s, stop) })
			}
			for range flips {
				for _, f := range sandbox.Faults() {
					if f != sandbox.Huge { // megabytes under -race only take time
						set(t, s, f)
						_, _, _ = s.Calls(), s.Issued(), len(s.Requests())
					}
				}
			}
			set(t, s, sandbox.None)
			close(stop)
			crowd.Wait()
			wantSession(t, k, k.ask(t, newClient(t), s))
		})
	}
}

// askUntil sends requests until stop is closed, whatever the answers.
func askUntil(t *testing.T, k kind, c *http.Client, s *sandbox.Server, stop <-chan struct{}) {
	t.Helper()
	for {
		select {
		case <-stop:
			return
		default:
			k.ask(t, c, s)
		}
	}
}
