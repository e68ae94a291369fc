package caddymodule_test

import (
	"fmt"
	"maps"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// damage is what an attack has come to. Memory is in MiB.
type damage struct {
	got        string
	asked      int64
	peak, left int64
	goroutines int
}

// under runs an attack against a site.
func (e *edge) under(t *testing.T, a attack, name, scheme string) (d damage) {
	t.Helper()
	e.Client.CloseIdleConnections()
	routines, heap := settled(), live()
	asked := e.seen.Load()
	var peak uint64
	over := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		var m runtime.MemStats
		for tick := time.Tick(20 * time.Millisecond); ; {
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
			select {
			case <-over:
				return
			case <-tick:
			}
		}
	})
	d.got = a.do(e.addrs[name+" "+scheme])
	close(over)
	watch.Wait()
	d.asked = e.seen.Load() - asked
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if d.goroutines = runtime.NumGoroutine() - routines; d.goroutines <= 0 || time.Now().After(end) {
			break
		}
	}
	d.peak, d.left = (int64(peak)-int64(heap))>>20, (int64(live())-int64(heap))>>20
	return d
}

// settled returns the number of goroutines once it does not fall any more.
func settled() int {
	n := runtime.NumGoroutine()
	for range 5 {
		time.Sleep(20 * time.Millisecond)
		n = min(n, runtime.NumGoroutine())
	}
	return n
}

// live returns the heap in use after a collection.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// many runs an attack on n connections at once, and returns how often each outcome
// was seen.
func many(n int, one func(conn net.Conn) string) func(addr string) string {
	return func(addr string) string {
		var mu sync.Mutex
		seen := map[string]int{}
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				got := "no connection"
				if conn, err := net.Dial("tcp", addr); err == nil {
					_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
					got = one(conn)
					_ = conn.Close()
				}
				mu.Lock()
				defer mu.Unlock()
				seen[got]++
			})
		}
		all.Wait()
		return outcomes(seen, n)
	}
}

// within reports whether all outcomes are among those that may be.
func within(got, may string) bool {
	for one := range strings.SplitSeq(got, ", ") {
		if _, what, counted := strings.Cut(one, "× "); counted {
			one = what
		}
		if !slices.Contains(strings.Split(may, "|"), one) {
			return false
		}
	}
	return true
}

// outcomes writes what was seen, without a number where all are alike.
func outcomes(seen map[string]int, n int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(seen)) {
		if seen[what] == n {
			return what
		}
		parts = append(parts, fmt.Sprintf("%d× %s", seen[what], what))
	}
	return strings.Join(parts, ", ")
}
