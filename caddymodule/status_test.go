package caddymodule_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// fetched decodes an answer of the admin API.
func fetched[T any](s *site, path string) (v T) {
	s.T.Helper()
	raw := s.Get(s.Admin + path)
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		s.T.Fatalf("%s: %v in %s", path, err, raw)
	}
	return v
}

func fraction(f *float64) float64 {
	if f == nil {
		return -1
	}
	return *f
}

// zulu is before backend in the chain and after it in the alphabet.
var zulu = strings.Replace(visitor, "provider backend {env.TEST_BACKEND_URL} {", "provider backend {env.TEST_BACKEND_URL} {\n name zulu", 1)

// The list is in the order of the chain, and says where each provider is used.
func TestStatusInChainOrder(t *testing.T) {
	s := newSite(t, zulu)
	all := fetched[[]registry.ProviderStatus](s, "/chatkit/providers")
	if len(all) != 2 || all[0].ID != "zulu" || all[1].ID != "openai" {
		t.Fatalf("got %+v", all)
	}
	site := strings.TrimPrefix(s.URL, "http://")
	var found int
	for _, r := range all[0].Routes {
		if len(r.Sites) != 1 || r.Sites[0] != site {
			t.Errorf("%s is on %q, want %q", r.Path, r.Sites, site)
		}
		if r.Path == "/api/custom/session" && r.Kind == "session" && r.Position == 1 || r.Path == "/api/custom/stream" && r.Position == 1 {
			found++
		}
	}
	if found != 2 {
		t.Errorf("used by %+v", all[0].Routes)
	}
	for _, r := range all[1].Routes {
		if r.Position != 2 || r.Kind == "stream" {
			t.Errorf("the second provider is used by %+v", r)
		}
	}
}

// An outage: since when, which a failed probe does not restart; the transport's
// words; what each provider served; and when it is over.
func TestStatusOfAnOutage(t *testing.T) {
	s := newSite(t, strings.Replace(visitor, "retries 0", "retries 0\n breaker {\n consecutive 2\n open 200ms 200ms\n }", 1))
	s.Session()
	before := s.statuses()
	if p := before["backend"]; p.FailingSince != nil || p.LastSuccess == nil || time.Since(*p.LastSuccess) > time.Minute ||
		fraction(p.Share1m) != 1 || fraction(p.Share5m) != 1 || p.Rate1m <= 0 || p.Rate5m <= 0 || fraction(p.Latency1m) < 0 || p.LastError != "" {
		t.Errorf("healthy: got %+v", p)
	}
	if p := before["openai"]; fraction(p.Share1m) != 0 || p.Rate1m != 0 || p.LastSuccess != nil || p.Latency1m != nil {
		t.Errorf("healthy: got %+v", p)
	}
	testsite.Set(t, s.Backend, sandbox.Refuse)
	s.Session()
	began := s.statuses()["backend"].FailingSince
	if began == nil {
		t.Fatal("not failing")
	}
	for end := time.Now().Add(10 * time.Second); s.Metric(`attempts_total{provider="backend",result="dial"}`) < 4; time.Sleep(50 * time.Millisecond) {
		s.Session()
		if time.Now().After(end) {
			t.Fatal("no probe failed")
		}
	}
	after := s.statuses()
	p := after["backend"]
	if p.FailingSince == nil || !p.FailingSince.Equal(*began) || !p.LastSuccess.Equal(*before["backend"].LastSuccess) ||
		!strings.Contains(p.LastError, "connect: connection refused") || strings.Contains(p.LastError, "http://") {
		t.Errorf("after failed probes: got %+v, want failing since %s", p, began)
	}
	if got := fraction(p.Share1m) + fraction(after["openai"].Share1m); got < 0.999 || got > 1.001 || after["openai"].Rate1m <= 0 {
		t.Errorf("shares are %v and %v", fraction(p.Share1m), fraction(after["openai"].Share1m))
	}
	testsite.Set(t, s.Backend, sandbox.None)
	for end := time.Now().Add(10 * time.Second); s.Session().Provider() != "backend"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come back")
		}
	}
	if p := s.statuses()["backend"]; p.FailingSince != nil || !p.LastSuccess.After(*began) {
		t.Errorf("back again: got %+v", p)
	}
}

// Carried requests are answers too, and a fallback of theirs is one.
func TestStatusCountsCarriedRequests(t *testing.T) {
	s := newUnloadedSite(t)
	s.Load(testsite.Backends("", testsite.Nobody(t), s.Backend.URL()+"\nkey "+testsite.BackendKey))
	if got := s.Stream("X-Request-Id: carried-1"); got.Provider() != "b" {
		t.Fatalf("got %d from %s: %s", got.Status, got.Provider(), got.Raw)
	}
	if all := s.statuses(); fraction(all["a"].Share1m) != 0 || fraction(all["b"].Share1m) != 1 {
		t.Errorf("shares are %v and %v", fraction(all["a"].Share1m), fraction(all["b"].Share1m))
	}
	got := fetched[[]registry.Fallback](s, "/chatkit/fallbacks")[0]
	want := registry.Fallback{At: got.At, Provider: "a", ServedBy: "b", Reason: "dial", Kind: "stream", Path: "/api/custom/stream", RequestID: "carried-1"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// The last fallbacks are listed, and name nobody.
func TestFallbacksAreListed(t *testing.T) {
	s := newSite(t, strings.Replace(visitor, "anonymous", "user {http.request.header.X-Planted}", 1))
	testsite.Set(t, s.Backend, sandbox.Status500)
	for _, id := range []string{"first", "second"} {
		if got := s.Session("X-Planted: planted-user", "X-Request-Id: "+id); got.Reason() != "status_5xx" {
			t.Fatalf("got %d %s", got.Status, got.Reason())
		}
	}
	list := fetched[[]registry.Fallback](s, "/chatkit/fallbacks")
	if len(list) < 2 || list[0].RequestID != "second" || list[1].RequestID != "first" {
		t.Fatalf("got %+v", list)
	}
	want := registry.Fallback{At: list[0].At, Provider: "backend", ServedBy: "openai", Reason: "status_5xx",
		Kind: "session", Path: "/api/custom/session", RequestID: "second"}
	if list[0] != want || time.Since(list[0].At) > time.Minute {
		t.Errorf("got %+v, want %+v", list[0], want)
	}
	for _, path := range []string{"/chatkit/fallbacks", "/chatkit/status"} {
		if raw := s.Get(s.Admin + path); strings.Contains(raw, "planted") {
			t.Errorf("%s names a user or a key: %s", path, raw)
		}
	}
}

// What a page shows: who serves now, and the states of the last hour.
func TestOverview(t *testing.T) {
	s := newSite(t, strings.Replace(visitor, "retries 0", "retries 0\n breaker {\n consecutive 2\n }", 1))
	testsite.Set(t, s.Backend, sandbox.Status500)
	serving := func() string {
		for _, r := range fetched[registry.Overview](s, "/chatkit/status").Routes {
			if r.Path == "/api/custom/session" {
				return strings.Join(r.Providers, " ") + ": " + r.Serving
			}
		}
		return ""
	}
	if got := serving(); got != "backend openai: backend" {
		t.Errorf("closed: got %s", got)
	}
	s.Session()
	s.Session()
	if got := serving(); got != "backend openai: openai" {
		t.Errorf("open: got %s", got)
	}
	v := fetched[registry.Overview](s, "/chatkit/status")
	if len(v.Providers) != 2 || v.Providers[0].ID != "backend" || !v.Readiness.Ready || time.Since(v.At) > time.Minute {
		t.Fatalf("got %+v", v)
	}
	states := v.Providers[0].States
	if len(states) != 2 || states[0].State != "closed" || states[1].State != "open" || states[1].At.Before(states[0].At) {
		t.Errorf("states %+v", states)
	}
}

// Ready as long as every session route has a provider that may be asked.
func TestReadyAndLive(t *testing.T) {
	s := newSite(t, visitor)
	probe := func(path string) (int, string) { return s.admin(http.MethodGet, path, "") }
	want := func(when string, status int, parts ...string) {
		t.Helper()
		got, raw := probe("/chatkit/ready")
		if got != status {
			t.Errorf("%s: got %d %s, want %d", when, got, raw, status)
		}
		for _, part := range parts {
			if !strings.Contains(raw, part) {
				t.Errorf("%s: got %s, want %s", when, raw, part)
			}
		}
		if got, raw := probe("/chatkit/live"); got != http.StatusOK || raw != `{"live":true}`+"\n" {
			t.Errorf("%s: not live: %d %s", when, got, raw)
		}
	}
	want("all closed", 200, `{"ready":true}`)
	s.force("open", "backend", "1m")
	want("one is left", 200)
	s.force("open", "openai", "1m")
	want("none is left", 503, `"ready":false`, "no provider of these routes may be asked", `"path":"/api/custom/session"`, `"path":"/api/custom/refresh"`)
	if _, raw := probe("/chatkit/ready"); strings.Contains(raw, "/api/custom/stream") {
		t.Errorf("a stream is not a session route: %s", raw)
	}
	s.admin(http.MethodPost, "/chatkit/providers/backend/auto", "")
	want("one is back", 200)
	s.admin(http.MethodPost, "/chatkit/providers/openai/auto", "")
	for _, path := range []string{"/chatkit/ready", "/chatkit/live", "/chatkit/events", "/chatkit/status", "/chatkit/fallbacks"} {
		if status, raw := s.admin(http.MethodPost, path, ""); status != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: got %d %s", path, status, raw)
		}
	}
	s.LoadText(strings.Replace(s.Caddyfile(visitor), "chatkit {"+visitor, "map {path} {x} {", 1))
	want("without chatkit", 503, "no configuration with a chatkit route is active")
}

// Who forced a provider, from where, and when.
func TestForcedByWhom(t *testing.T) {
	s := newSite(t, visitor)
	before := time.Now()
	status, raw := s.admin(http.MethodPost, "/chatkit/providers/backend/open", `{"for":"1m","reason":"x","by":"alice\u001b[2J"}`)
	if status != http.StatusOK {
		t.Fatalf("got %d %s", status, raw)
	}
	p := s.statuses()["backend"]
	if p.Forced == nil || p.Forced.By != "alice [2J by the admin API from 127.0.0.1" || p.Forced.At.Before(before.Add(-time.Second)) {
		t.Errorf("got %+v", p.Forced)
	}
	s.admin(http.MethodPost, "/chatkit/providers/backend/auto", "")
}

// The stream of overviews begins at once, goes on, and ends with its
// configuration, so that it holds up no reload.
func TestStatusEvents(t *testing.T) {
	s := newSite(t, visitor)
	if status, raw := s.admin(http.MethodGet, "/chatkit/events?every=soon", ""); status != http.StatusBadRequest || !strings.Contains(raw, `invalid every "soon"`) {
		t.Errorf("got %d %s", status, raw)
	}
	r, err := testsite.Request(t.Context(), http.MethodGet, s.Admin+"/chatkit/events?every=1ms", "")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %q", got)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for n := 0; n < 2 && lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		n++
		var v registry.Overview
		if err := json.Unmarshal([]byte(data), &v); err != nil || len(v.Providers) != 2 {
			t.Errorf("%v in %s", err, data)
		}
	}
	s.Load(visitor + "\n deadline 9s")
	begin := time.Now()
	for lines.Scan() { // to the end
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it ended %s after the reload", took)
	}
}
