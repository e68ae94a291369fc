package issuer_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/issuer"
)

// The collector has nothing to follow in a full index.
func BenchmarkCollect(b *testing.B) {
	x := issuer.New(issuer.Size, issuer.Life)
	site := x.Site("one.example.com")
	for i := range issuer.Size {
		put(site, fmt.Sprintf("session-%d-0123456789abcdef0123456789abcdef", i), "backend", time.Time{})
	}
	b.ResetTimer()
	for b.Loop() {
		runtime.GC()
	}
	runtime.KeepAlive(x)
}

func BenchmarkPut(b *testing.B) {
	site := issuer.New(issuer.Size, issuer.Life).Site("one.example.com")
	secrets := make([]string, 1<<12)
	for i := range secrets {
		secrets[i] = fmt.Sprintf("session-%d-0123456789abcdef0123456789abcdef", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		put(site, secrets[i%len(secrets)], "backend", time.Time{})
	}
}
