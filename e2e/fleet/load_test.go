package fleet_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load asks the instances for sessions, as many users, until it is stopped.
type load struct {
	stop  func()
	sent  atomic.Int64
	mu    sync.Mutex
	took  []time.Duration
	wrong []string
}

// begin sends rate requests a second, spread over the instances.
func begin(list []*instance, rate int) *load {
	l := new(load)
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-tick.C:
				running.Go(func() { l.ask(list[n%len(list)], fmt.Sprintf("user-%d", n%997)) })
			}
		}
	})
	l.stop = sync.OnceFunc(func() { close(done); running.Wait() })
	return l
}

func (l *load) ask(i *instance, user string) {
	begun := time.Now()
	a, err := i.session(user)
	took := time.Since(begun)
	l.sent.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, took)
	if err != nil || a.Status != 200 {
		l.wrong = append(l.wrong, fmt.Sprintf("%v %d %s", err, a.Status, a.Raw))
	}
}

// clear forgets what was measured, and returns it.
func (l *load) clear() (sent int, p50, p99 time.Duration, wrong []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	took := l.took
	wrong = l.wrong
	l.took, l.wrong = nil, nil
	if len(took) == 0 {
		return 0, 0, 0, wrong
	}
	slices.Sort(took)
	return len(took), took[len(took)/2], took[len(took)*99/100], wrong
}
