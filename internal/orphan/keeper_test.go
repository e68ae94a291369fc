package orphan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/caddy-chatkit/caddy-chatkit/internal/orphan"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// told keeps what a keeper tells.
type told struct {
	mu  sync.Mutex
	all []string
}

func (o *told) tell(id string, r orphan.Result, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, fmt.Sprint(id, " ", r, " ", err))
}

func TestCancel(t *testing.T) {
	status := func(code int) error { return &session.Failure{Status: code} }
	cases := map[string]struct {
		errs  []error // of one call after the other
		want  string
		calls int
		took  time.Duration
	}{
		"canceled":            {[]error{nil}, "r1 canceled <nil>", 1, 0},
		"gone already":        {[]error{status(404)}, "r1 canceled <nil>", 1, 0},
		"gone":                {[]error{fmt.Errorf("x: %w", status(410))}, "r1 canceled <nil>", 1, 0},
		"the second time":     {[]error{status(503), nil}, "r1 canceled <nil>", 2, time.Second},
		"gone by then":        {[]error{errors.New("cut"), status(404)}, "r1 canceled <nil>", 2, time.Second},
		"never":               {[]error{status(503), status(500)}, "r1 failed provider answered 500", 2, time.Second},
		"not possible":        {[]error{errors.ErrUnsupported}, "r1 unsupported <nil>", 1, 0},
		"hangs":               {[]error{context.DeadlineExceeded, context.DeadlineExceeded}, "r1 failed context deadline exceeded", 2, 5 * time.Second},
		"panics":              {[]error{errPanic, errPanic}, "r1 failed provider panicked with a string", 2, time.Second},
		"panics and does not": {[]error{errPanic, nil}, "r1 canceled <nil>", 2, time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var o told
				k := orphan.New(o.tell)
				calls := 0
				start := time.Now()
				k.Cancel(orphan.Job{RequestID: "r1", Limit: 2 * time.Second, Do: func(ctx context.Context) error {
					calls++
					switch err := c.errs[calls-1]; {
					case errors.Is(err, errPanic):
						panic("x")
					case errors.Is(err, context.DeadlineExceeded):
						<-ctx.Done()
						return ctx.Err()
					default:
						return err
					}
				}})
				if left := k.Wait(t.Context()); left != 0 {
					t.Errorf("%d left", left)
				}
				if took := time.Since(start); took != c.took || calls != c.calls || !slices.Equal(o.all, []string{c.want}) {
					t.Errorf("%q after %d calls and %s, want %q after %d and %s", o.all, calls, took, c.want, c.calls, c.took)
				}
			})
		})
	}
}

var errPanic = errors.New("panic")

// A provider that hangs costs a few goroutines, and what waits for it has an end.
func TestCancelIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o told
		k := orphan.New(o.tell)
		var now, most atomic.Int64
		for range 1500 {
			k.Cancel(orphan.Job{Limit: time.Second, Do: func(ctx context.Context) error {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				defer now.Add(-1)
				<-ctx.Done()
				return nil
			}})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 59*time.Second+time.Millisecond)
		defer cancel()
		if left := k.Wait(ctx); left != 1000-8*59 {
			t.Errorf("%d left after 59 s", left)
		}
		if left := k.Wait(t.Context()); left != 0 || most.Load() != 8 {
			t.Errorf("%d left, %d at once", left, most.Load())
		}
		counts := make(map[string]int)
		for _, line := range o.all {
			counts[line]++
		}
		if counts[" canceled <nil>"] != 1000 || counts[" dropped <nil>"] != 500 {
			t.Errorf("told %v", counts)
		}
	})
}

// The places of one kind are not those of the other.
func TestHold(t *testing.T) {
	k := orphan.New(func(string, orphan.Result, error) {})
	var releases []func()
	for {
		release, ok := k.Hold(orphan.Loser)
		if !ok {
			break
		}
		releases = append(releases, release)
	}
	late, ok := k.Hold(orphan.Late)
	if len(releases) != 256 || !ok {
		t.Fatalf("%d places, and of the other kind one is free: %t", len(releases), ok)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if left := k.Wait(ctx); left != 257 {
		t.Errorf("%d left", left)
	}
	releases[0]()
	releases[0]() // counts once
	again, ok := k.Hold(orphan.Loser)
	if _, more := k.Hold(orphan.Loser); !ok || more {
		t.Errorf("after one is back there is one: %t, and no other: %t", ok, !more)
	}
	again()
	late()
	for _, release := range releases {
		release()
	}
	if left := k.Wait(t.Context()); left != 0 {
		t.Errorf("%d left", left)
	}
}
