package sandbox_test

import (
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// Other benchmarks use the simulators as stubs. What these cost, client
// included, is the minimum for those benchmarks.
func BenchmarkSession(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.name, func(b *testing.B) {
			s, c := k.run(b, sandbox.Options{Key: testKey}), newClient(b)
			b.ReportAllocs()
			for b.Loop() {
				if got := k.ask(b, c, s); got.status != 200 {
					b.Fatalf("status %d (%v)", got.status, got.err)
				}
			}
		})
	}
}
