package ratelimit_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
)

func TestRateCheck(t *testing.T) {
	for name, c := range map[string]struct {
		rate ratelimit.Rate
		ok   bool
	}{
		"one a second": {ratelimit.Rate{N: 1, Per: time.Second}, true},
		"none":         {ratelimit.Rate{N: 0, Per: time.Second}, false},
		"negative":     {ratelimit.Rate{N: -1, Per: time.Second}, false},
		"no time":      {ratelimit.Rate{N: 1}, false},
		"back in time": {ratelimit.Rate{N: 1, Per: -time.Second}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.rate.Check(); (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The returned wait is exact: just before its end there is no token, just after it
// there is one.
func TestBucketTellsTheWait(t *testing.T) {
	for _, r := range []ratelimit.Rate{{1, time.Second}, {10, time.Minute}, {3, 7 * time.Hour}, {1000, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			b := ratelimit.NewBucket(r)
			for i := range r.N {
				if wait := b.Take(); wait != 0 {
					t.Fatalf("%v: token %d has a wait of %v", r, i, wait)
				}
			}
			wait := b.Take()
			if each := r.Per / time.Duration(r.N); wait < each-each/100 || wait > each+each/100 {
				t.Errorf("%v: wait %v", r, wait)
			}
			if got := b.Wait(); got != wait {
				t.Errorf("%v: Take says %v and Wait %v", r, wait, got)
			}
			time.Sleep(wait - wait/100)
			if b.Take() == 0 {
				t.Errorf("%v: a token came too soon", r)
			}
			time.Sleep(wait / 50)
			if b.Wait() != 0 || b.Take() != 0 {
				t.Errorf("%v: no token after the wait", r)
			}
		})
	}
}

// Concurrent users of a bucket: exactly N get a token.
func TestBucketAtOnce(t *testing.T) {
	b := ratelimit.NewBucket(ratelimit.Rate{N: 100, Per: time.Hour})
	var got atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range 20 {
				if b.Take() == 0 {
					got.Add(1)
				}
			}
		})
	}
	all.Wait()
	if got.Load() != 100 {
		t.Errorf("%d tokens", got.Load())
	}
}
