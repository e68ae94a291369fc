package caddymodule_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// hostileLength is how long the hostile caller has.
func hostileLength() time.Duration {
	if os.Getenv("CHATKIT_REQUIRE_TOOLS") != "" {
		return 60 * time.Second
	}
	return 12 * time.Second
}

// hostileHands is how much a hostile caller does at once.
const hostileHands = 48

// One caller cannot take chat away from others: whatever it does, a healthy backend
// serves everybody else, and its breaker stays closed.
func TestOneCallerCannot(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(touchy))
	t.Cleanup(backend.Close)
	spare := httptest.NewServer(http.HandlerFunc(touchy))
	t.Cleanup(spare.Close)
	s := newUnloadedSite(t)
	s.LoadText(s.secure(fmt.Sprintf(`
	user {http.request.header.X-User}
	anonymous
	chatkit /chatkit
	first_byte 4s
	failover any
	provider backend %s {
		forward_headers X-Auth-Token
		timeout 4s # a busy machine is not the backend's fault
		breaker {
			slow 3s 50%%
		}
	}
	provider backend %s {
		name spare
	}`, backend.URL, spare.URL) + openaiOnly))

	ctx, cancel := context.WithTimeout(t.Context(), hostileLength())
	defer cancel()
	var all sync.WaitGroup
	honest := honestCallers(t, s)
	for _, h := range honest {
		all.Go(func() { h.chat(ctx, t) })
	}
	x := newHostile(s.URL, "127.0.0.66")
	var done atomic.Int64
	for range hostileHands {
		all.Go(func() {
			for acts := x.acts(); ctx.Err() == nil; done.Add(1) {
				pick(acts)(ctx)
			}
		})
	}
	heap := peakHeap(ctx)
	all.Wait()

	sessions := 0
	for _, h := range honest {
		sessions += h.sessions
	}
	t.Logf("%d honest sessions, %d hostile acts, heap at most %d MiB", sessions, done.Load(), heap>>20)
	if sessions < 8 || done.Load() < 100 { // a busy machine does less
		t.Error("too little happened")
	}
	if heap > 200<<20 {
		t.Errorf("the heap grew to %d MiB, want at most 200", heap>>20)
	}
	if lines := s.Logged("caddy.log", `"breaker changed"`); len(lines) > 0 {
		t.Errorf("a breaker changed: %s", strings.Join(lines, "\n"))
	}
}

// peakHeap returns the largest heap until the end of ctx. It is that of the whole
// test: the clients' and the backends' too.
func peakHeap(ctx context.Context) (peak uint64) {
	for tick := time.Tick(200 * time.Millisecond); ctx.Err() == nil; <-tick {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapInuse)
	}
	return peak
}

// honestCaller asks for sessions and talks.
type honestCaller struct {
	url, user string
	client    *http.Client
	sessions  int
}

// honestCallers are two accounts and two visitors, at four addresses.
func honestCallers(t *testing.T, s *site) (all []*honestCaller) {
	t.Helper()
	for i, user := range []string{"alice", "bob", "", ""} {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(10+i))}}
		transport := &http.Transport{TLSClientConfig: trustAll(), DialContext: dialer.DialContext}
		t.Cleanup(transport.CloseIdleConnections)
		all = append(all, &honestCaller{url: s.URL, user: user, client: &http.Client{Jar: jar, Transport: transport, Timeout: 20 * time.Second}})
	}
	return all
}

// chat asks for a session and uses it, until ctx ends.
func (h *honestCaller) chat(ctx context.Context, t *testing.T) {
	t.Helper()
	for ctx.Err() == nil {
		a := h.ask(t, "/api/custom/session", "{}", "X-User", h.user)
		if a.Status != http.StatusOK || a.Provider() != "backend" {
			t.Errorf("got a session from %q for %q: %d %s", a.Provider(), a.Reason(), a.Status, a.Raw)
		}
		h.sessions++
		for _, path := range []string{"/api/custom/message", "/api/custom/stream"} {
			a := h.ask(t, path, `{"message":"hello"}`, "Authorization", "Bearer "+a.Secret())
			if a.Status != http.StatusOK || a.Provider() != "backend" {
				t.Errorf("%s: got %d from %q: %s", path, a.Status, a.Provider(), a.Raw)
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (h *honestCaller) ask(t *testing.T, path, body, header, value string) answer {
	t.Helper()
	a, err := testsite.Try(context.WithoutCancel(t.Context()), h.client, http.MethodPost, h.url+path, body, header+": "+value)
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	return a
}
