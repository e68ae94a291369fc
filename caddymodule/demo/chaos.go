package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// runChaos breaks and heals the backend in turn, at the given interval and with a
// random fault each time, until ctx is done.
func (d *demo) runChaos(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	faults := sandbox.Faults()
	for broken := false; ; broken = !broken {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		fault := sandbox.None
		for !broken && fault == sandbox.None {
			fault = faults[rand.IntN(len(faults))] //nolint:gosec // not a secret
		}
		if err := d.backend.Set(fault); err != nil {
			return // the demo is stopping
		}
		_, _ = fmt.Fprintf(d.out, "%s  --- backend: %s\n", time.Now().Format("15:04:05.000"), fault)
	}
}
