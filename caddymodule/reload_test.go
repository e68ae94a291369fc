package caddymodule_test

import (
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const (
	sessionsOK       = `sessions_total{outcome="ok",route="session",served_by="backend"}`
	sessionsFallback = `sessions_total{outcome="fallback",route="session",served_by="openai"}`
)

// persistent makes the client send a request again whose connection broke before
// a byte of an answer came, on a new connection. Caddy's own part of a reload
// breaks some: those that wait to be accepted at the old listener, and idle ones
// that a request is just on its way on. They never reach a handler.
func (s *site) persistent() *persistentTransport {
	p := &persistentTransport{RoundTripper: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	s.Client.CloseIdleConnections()
	s.Client.Transport = p
	return p
}

type persistentTransport struct {
	http.RoundTripper
	repeated atomic.Int64
}

func (p *persistentTransport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	for range 10 {
		if resp, err = p.RoundTripper.RoundTrip(r); err == nil {
			return resp, nil
		}
		p.repeated.Add(1)
		if r.GetBody != nil {
			r.Body, _ = r.GetBody()
		}
	}
	return nil, err
}

// A reload keeps breakers and counters, one that is rejected changes nothing.
func TestReload(t *testing.T) {
	block := withBreaker("consecutive 3\n open 1m")
	s := newSite(t, block)
	s.persistent()
	trip(s, 3)
	count := s.Metric(sessionsFallback)
	steps := []struct {
		name, block string
		rejected    string // part of the error
	}{
		{"accepted", block + "\n deadline 9s", ""},
		{"rejected while parsing", block + "\n nonsense", "nonsense"},
		{"rejected while loading", strings.Replace(block, "TEST_OPENAI_KEY", "TEST_UNSET", 1), "TEST_UNSET"},
		{"rejected after its first provider was loaded", block + "\n provider openai {\n name third\n key x\n workflow {env.TEST_UNSET}\n }", "TEST_UNSET"},
		{"accepted again", block, ""},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			before := seriesOf(s)
			err := s.TryLoad(step.block)
			switch {
			case step.rejected == "" && err != nil:
				t.Fatal(err)
			case step.rejected != "" && (err == nil || !strings.Contains(err.Error(), step.rejected)):
				t.Fatalf("got %v, want an error naming %s", err, step.rejected)
			}
			if after := seriesOf(s); after != before {
				t.Errorf("the metrics changed from\n%s\nto\n%s", before, after)
			}
			a := s.Session()
			if a.Status != http.StatusOK || a.Reason() != "open" {
				t.Errorf("got %d because %q, want the breaker still open", a.Status, a.Reason())
			}
			count++
			if got := s.Metric(sessionsFallback); got != count {
				t.Errorf("counted %v fallbacks, want %v", got, count)
			}
		})
	}
	if got := s.Backend.Calls(); got != 3 {
		t.Errorf("backend was called %d times, want the 3 that opened the breaker", got)
	}
}

// seriesOf is all of the product's metrics but the timers, sorted as exposed.
func seriesOf(s *site) string {
	var b strings.Builder
	for line := range strings.Lines(s.Get(s.Admin + "/metrics")) {
		if strings.HasPrefix(line, "caddy_chatkit_") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// Other settings are another provider: its breaker starts closed.
func TestReloadWithOtherSettings(t *testing.T) {
	s := newSite(t, withBreaker("consecutive 3\n open 1m"))
	s.persistent()
	trip(s, 3)
	s.Load(withBreaker("consecutive 4\n open 1m"))
	if s.Metric(backendClosed) != 1 {
		t.Error("the breaker of the new settings is not closed")
	}
	if a := s.Session(); a.Reason() != "status_5xx" {
		t.Errorf("got reason %q, want the backend to be asked", a.Reason())
	}
}

// Reloads under load lose no request: each one the handler took was answered
// with a session, and the client has that answer.
func TestReloadUnderLoad(t *testing.T) {
	s := newSite(t, testsite.TwoProviders)
	client := s.persistent()
	var served atomic.Int64
	before := s.Metric(sessionsOK)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { loadUntil(s, stop, &served) })
	}
	const reloads = 6
	for i := range reloads {
		target := served.Load() + 50
		block := testsite.TwoProviders
		if i%2 == 0 {
			block += "\n deadline 9s"
		}
		s.Load(block)
		for served.Load() < target {
			time.Sleep(time.Millisecond)
		}
	}
	close(stop)
	wg.Wait()
	t.Logf("%d requests served over %d reloads; %d connections broke before they reached a handler",
		served.Load(), reloads, client.repeated.Load())
	if taken := s.Metric(sessionsOK); taken-before != float64(served.Load()) {
		t.Errorf("the handler took %v requests, clients have %d answers", taken-before, served.Load())
	}
}

// loadUntil sends session requests until stop is closed.
func loadUntil(s *site, stop <-chan struct{}, served *atomic.Int64) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		a, err := s.Try(http.MethodPost, "/api/custom/session", `{"model":"m"}`)
		if err != nil || a.Status != http.StatusOK || a.Provider() != "backend" {
			s.T.Errorf("got %d from %q, %v: %s", a.Status, a.Provider(), err, a.Raw)
		}
		served.Add(1)
	}
}

// Many reloads leave nothing behind.
func TestReloadsLeakNothing(t *testing.T) {
	s := newSite(t, testsite.TwoProviders)
	s.persistent()
	reload := func(n int) {
		for i := range n {
			block := testsite.TwoProviders
			if i%2 == 0 {
				block += "\n deadline 9s"
			}
			s.Load(block)
			s.Session()
		}
	}
	reload(4)
	before := settledGoroutines()
	reload(20)
	if after := settledGoroutines(); after > before+3 {
		t.Errorf("goroutines grew from %d to %d over 20 reloads", before, after)
	}
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
}

// settledGoroutines waits for the number of goroutines to stop falling.
func settledGoroutines() int {
	n := runtime.NumGoroutine()
	for range 20 {
		time.Sleep(50 * time.Millisecond)
		if now := runtime.NumGoroutine(); now < n {
			n = now
		}
	}
	return n
}
