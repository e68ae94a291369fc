package caddymodule_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// attack is something no good client does, against an address, with the outcome as
// a client sees it.
type attack struct {
	name    string
	secure  bool // over TLS, for HTTP/2
	do      func(addr string) string
	ours    string // through chatkit; several that may be with | between them
	plain   string // through reverse_proxy, "" for the same
	backend int64  // requests that the backend may get at most, -1 for any number
}

// edge is a Caddy with two sites in front of one backend: chatkit, and Caddy's
// reverse_proxy alone. Each stands on a plain listener and one with TLS. No
// connections to the backend are kept: they would blur the figures.
type edge struct {
	*site

	seen     atomic.Int64 // requests that the backend got
	smuggled atomic.Int64 // those to the path that no request line has
	plain    string
	addrs    map[string]string // by site and scheme
}

const edgeBlock = `
	anonymous
	first_byte 30s
	chatkit /chatkit
	provider backend %s {
		timeout 10s
		retries 0
		breaker {
			consecutive off
			ratio off
		}
		transport http {
			keepalive off
		}
	}`

func newEdge(t *testing.T) *edge {
	t.Helper()
	e := &edge{site: newUnloadedSite(t), addrs: map[string]string{}}
	backend := testsite.OwnBackendAt(t, testsite.FreeAddr(t), http.HandlerFunc(e.serve))
	cert, key := testsite.Certificate(t)
	text := strings.Replace(e.Caddyfile(fmt.Sprintf(edgeBlock, backend.URL)), "auto_https off", "auto_https off\n servers {\n timeouts {\n read_header 3s\n read_body 1s\n }\n }", 1)
	head, body, _ := strings.Cut(text, e.URL+" {")
	for name, site := range map[string]string{"chatkit": body, "reverse_proxy": "\n reverse_proxy " + backend.URL + " {\n transport http {\n keepalive off\n }\n }\n}\n"} {
		for scheme, tls := range map[string]string{"http": "", "https": "\n tls " + cert + " " + key} {
			addr := testsite.FreeAddr(t)
			e.addrs[name+" "+scheme] = addr
			head += scheme + "://" + addr + " {" + tls + site
		}
	}
	e.URL = "http://" + e.addrs["chatkit http"]
	e.plain = "http://" + e.addrs["reverse_proxy http"]
	e.LoadText(head)
	return e
}

// serve is the backend.
func (e *edge) serve(w http.ResponseWriter, r *http.Request) {
	e.seen.Add(1)
	if strings.Contains(r.URL.Path, "smuggled") {
		e.smuggled.Add(1)
	}
	if r.Header.Get("Upgrade") != "" {
		echoSocket(w, r)
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"session_id":"s-1"}`)
}

// Caddy's own defences at its edge are as effective with this handler as without:
// the client gets the same end, the backend nothing that was not sent to it, and
// nothing is left behind.
func TestEdge(t *testing.T) {
	e := newEdge(t)
	for _, a := range slices.Concat(edgeHTTP1(), edgeHTTP2(), edgeSockets()) {
		t.Run(a.name, func(t *testing.T) {
			scheme := "http"
			if a.secure {
				scheme = "https"
			}
			plain := e.under(t, a, "reverse_proxy", scheme)
			ours := e.under(t, a, "chatkit", scheme)
			wantPlain := a.plain
			if wantPlain == "" {
				wantPlain = a.ours
			}
			if !within(ours.got, a.ours) || !within(plain.got, wantPlain) {
				t.Errorf("got %q, want %q; and through reverse_proxy %q, want %q", ours.got, a.ours, plain.got, wantPlain)
				if lines := e.Logged("caddy.log", "could not be carried"); len(lines) > 0 {
					t.Log(lines[len(lines)-1])
				}
			}
			if a.backend >= 0 && ours.asked > a.backend {
				t.Errorf("the backend was asked %d times, want at most %d", ours.asked, a.backend)
			}
			if ours.goroutines > max(plain.goroutines, 0)+12 {
				t.Errorf("%d goroutines are left", ours.goroutines)
			}
			if ours.left > 24 || ours.peak > 2*plain.peak+48 {
				t.Errorf("%d MiB are left, and the peak was %d MiB (reverse_proxy: %d)", ours.left, ours.peak, plain.peak)
			}
			if got := e.Session(); got.Status != http.StatusOK {
				t.Errorf("a good request then gets %d: %s", got.Status, got.Raw)
			}
			t.Logf("| %s | %s | %s | %d / %d | %d / %d | %+d / %+d |", a.name, ours.got, plain.got,
				ours.asked, plain.asked, ours.peak, plain.peak, ours.goroutines, plain.goroutines)
		})
	}
	if n := e.smuggled.Load(); n > 0 {
		t.Errorf("the backend got %d requests that were hidden in others", n)
	}
}

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
