package ratelimit_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
)

// Over any period each user gets what the rate allows, to within one token, and
// memory stays bounded.
func TestHundredThousandUsers(t *testing.T) {
	const users, sample = 100_000, 50
	synctest.Test(t, func(t *testing.T) {
		before := heap()
		b := ratelimit.NewBuckets(ratelimit.Rate{N: 10, Per: time.Minute}, ratelimit.Size)
		for u := range users {
			b.Take(fmt.Sprint("user-", u))
		}
		if grown := heap() - before; b.Len() != users || grown > 25<<20 {
			t.Errorf("%d users take %d MiB", b.Len(), grown>>20)
		} else {
			t.Logf("%d users take %.1f MiB", b.Len(), float64(grown)/(1<<20))
		}
		// Ten minutes of far more requests than allowed, with the users in a
		// different order each time.
		got := make([]int, sample)
		for i := range got {
			got[i] = 1 // taken above
		}
		const minutes = 10
		for range minutes * 60 * 2 {
			time.Sleep(time.Second / 2)
			for _, u := range rand.Perm(sample) {
				if b.Take(fmt.Sprint("user-", u)) == 0 {
					got[u]++
				}
			}
		}
		for u, n := range got {
			if want := 10 + 10*minutes; n < want-1 || n > want+1 {
				t.Errorf("user %d got %d, want %d within one", u, n, want)
			}
		}
		runtime.KeepAlive(b)
	})
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// More keys than fit: the least recently used one is evicted.
func TestBucketsAreBounded(t *testing.T) {
	b := ratelimit.NewBuckets(ratelimit.Rate{N: 1, Per: time.Hour}, 3)
	for _, key := range []string{"a", "b", "c", "a", "d"} { // b goes
		b.Take(key)
	}
	if b.Len() != 3 {
		t.Errorf("%d keys", b.Len())
	}
	if b.Take("a") == 0 || b.Take("c") == 0 || b.Take("d") == 0 {
		t.Error("a key that is remembered got a token twice")
	}
	if b.Take("b") != 0 {
		t.Error("a key that was forgotten has no full bucket")
	}
}

// Concurrent use of one key creates one bucket.
func TestBucketsAtOnce(t *testing.T) {
	b := ratelimit.NewBuckets(ratelimit.Rate{N: 7, Per: time.Hour}, ratelimit.Size)
	var got atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if b.Take(strings.Repeat("long key ", 10_000)) == 0 {
				got.Add(1)
			}
		})
	}
	all.Wait()
	if got.Load() != 7 {
		t.Errorf("%d tokens", got.Load())
	}
}

func BenchmarkTake(b *testing.B) {
	l := ratelimit.NewBuckets(ratelimit.Rate{N: 10, Per: time.Minute}, ratelimit.Size)
	b.ReportAllocs()
	for b.Loop() {
		l.Take("user-1")
	}
}
