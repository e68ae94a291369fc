package sandbox_test

import (
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// The stand-ins are the stub of other benchmarks: what they cost, client
// included, is the floor of those.
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
