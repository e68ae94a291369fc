package ratelimit_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/ratelimit"
)

// As many are open as may be; a place that is given back twice is one place, and keys
// do not know of each other.
func TestOpen(t *testing.T) {
	var o ratelimit.Open
	one, two := o.Enter("a", 2), o.Enter("a", 2)
	if one == nil || two == nil || o.Enter("a", 2) != nil {
		t.Fatal("not exactly two have a place")
	}
	if o.Enter("a", 1) != nil || o.Enter("b", 1) == nil || o.Keys() != 2 {
		t.Error("a lower limit lets more in, or one key takes another's place")
	}
	one()
	one()
	if o.Enter("a", 2) == nil || o.Enter("a", 2) != nil {
		t.Error("one place was given back, and not exactly one is free")
	}
}

// Under load the limit holds at any time, and nothing is left behind.
func TestOpenAtOnce(t *testing.T) {
	const limit = 3
	var o ratelimit.Open
	var now, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for range 200 {
				leave := o.Enter(strconv.Itoa(i%2), limit)
				if leave == nil {
					refused.Add(1)
					continue
				}
				if n := now.Add(1); n > 2*limit {
					t.Errorf("%d are open", n)
				}
				now.Add(-1)
				leave()
			}
		})
	}
	all.Wait()
	if o.Keys() != 0 {
		t.Errorf("%d keys are left, %d were refused", o.Keys(), refused.Load())
	}
}
