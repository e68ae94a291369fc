package caddymodule_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// headerUser lets a test say who asks; the first line of a block.
const headerUser = "\n user {http.request.header.X-User}"

// A user gets n sessions at once and is then told when to come back; others are
// not concerned, and nobody upstream is asked.
func TestRateLimitUser(t *testing.T) {
	s := newSite(t, headerUser+"\n rate_limit user 3 1h"+quick(""))
	const limited = `rate_limited_total{scope="user"}`
	before := s.Metric(limited)
	for i := range 5 {
		got := s.Post("/api/custom/session", "", "X-User: alice", "Origin: https://app.example.com")
		if i < 3 {
			if got.Status != http.StatusOK {
				t.Errorf("request %d: got %d", i+1, got.Status)
			}
			continue
		}
		checkError(t, got, "RATE_LIMITED")
		wait, err := strconv.Atoi(got.Header.Get("Retry-After"))
		if got.Status != http.StatusTooManyRequests || err != nil || wait < 1190 || wait > 1200 {
			t.Errorf("request %d: got %d, Retry-After %q", i+1, got.Status, got.Header.Get("Retry-After"))
		}
		if got.Header.Get("Access-Control-Allow-Origin") == "" || got.Provider() != "" {
			t.Errorf("request %d: got %v", i+1, got.Header)
		}
	}
	if got := s.Backend.Calls() + s.OpenAI.Calls(); got != 3 || s.Metric(limited) != before+2 {
		t.Errorf("%d upstream requests, %v limited", got, s.Metric(limited)-before)
	}
	if got := s.Post("/api/custom/session", "", "X-User: bob"); got.Status != http.StatusOK {
		t.Errorf("somebody else got %d", got.Status)
	}
	// The same counts, whichever path is asked.
	if got := s.Post("/api/chatkit/refresh", "", "X-User: alice"); got.Status != http.StatusTooManyRequests {
		t.Errorf("a refresh got %d", got.Status)
	}
	// Nobody is not a user.
	if got := s.Post("/api/custom/session", ""); got.Status != http.StatusUnauthorized {
		t.Errorf("nobody got %d", got.Status)
	}
}

// Addresses are what Caddy knows of them; of IPv6 a /64 is one.
func TestRateLimitIP(t *testing.T) {
	s := newUnloadedSite(t)
	text := strings.Replace(s.Caddyfile(headerUser+"\n rate_limit ip 2 1h"+quick("")), "auto_https off",
		"auto_https off\n servers {\n trusted_proxies static 127.0.0.0/8\n }", 1)
	s.LoadText(text)
	from := func(addr string) int {
		return s.Post("/api/custom/session", "", "X-User: u", "X-Forwarded-For: "+addr).Status
	}
	for _, step := range []struct {
		addr string
		want int
	}{
		{"192.0.2.1", 200},
		{"192.0.2.1", 200},
		{"192.0.2.1", 429},
		{"::ffff:192.0.2.2", 200},
		{"192.0.2.2", 200},
		{"2001:db8:0:1::1", 200},
		{"2001:db8:0:1:ffff::2", 200},
		{"2001:db8:0:1::3", 429},
		{"2001:db8:0:2::1", 200},
	} {
		if got := from(step.addr); got != step.want {
			t.Errorf("%s: got %d, want %d", step.addr, got, step.want)
		}
	}
	// An address is refused before anybody asks who it is.
	if got := s.Post("/api/custom/session", "", "X-Forwarded-For: 192.0.2.1"); got.Status != http.StatusTooManyRequests {
		t.Errorf("nobody got %d", got.Status)
	}
}

// A visitor who drops the cookie is not a new user for the limit, unless there is
// one for addresses: many visitors may have one.
func TestRateLimitUserOfVisitors(t *testing.T) {
	for _, tt := range []struct {
		name, limits string
		keep         bool // the cookie
		served       int
	}{
		{"cookie dropped", "rate_limit user 2 1h", false, 2},
		{"cookie kept", "rate_limit user 2 1h", true, 2},
		{"limit per address, cookie dropped", "rate_limit user 2 1h\n rate_limit ip 4 1h", false, 4},
		{"limit per address, cookie kept", "rate_limit user 2 1h\n rate_limit ip 4 1h", true, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, headerUser+"\n anonymous\n "+tt.limits+quick(""))
			cookie, served := "none=1", 0
			for range 6 {
				a := s.Session("Cookie: " + cookie)
				if a.Status == http.StatusOK {
					served++
				}
				if set := a.Header.Get("Set-Cookie"); tt.keep && set != "" {
					cookie = set
				}
			}
			if served != tt.served || s.Backend.Calls() != served {
				t.Errorf("%d were served, the backend was asked %d times, want %d", served, s.Backend.Calls(), tt.served)
			}
			if tt.keep || tt.served == 4 {
				return
			}
			if got := s.Session("X-User: 127.0.0.1"); got.Status != http.StatusOK {
				t.Errorf("a user whose id is the visitor's address got %d", got.Status)
			}
		})
	}
}

// A preflight costs nothing, and a request of another method neither.
func TestRateLimitCountsSessionRequestsOnly(t *testing.T) {
	s := newSite(t, headerUser+"\n rate_limit ip 1 1h\n rate_limit user 1 1h"+quick(""))
	for range 3 {
		s.Do(http.MethodOptions, "/api/custom/session", "", "Origin: https://a.example", "Access-Control-Request-Method: POST")
		s.Do(http.MethodGet, "/api/custom/session", "")
	}
	if got := s.Post("/api/custom/session", "", "X-User: u"); got.Status != http.StatusOK {
		t.Errorf("got %d", got.Status)
	}
}

// Counts outlive a reload that leaves the block as it is, and one that changes
// something else.
func TestRateLimitOutlivesReload(t *testing.T) {
	block := headerUser + "\n rate_limit user 1 1h" + quick("")
	s := newSite(t, block)
	s.persistent()
	s.Post("/api/custom/session", "", "X-User: u")
	s.LoadText(strings.Replace(s.Caddyfile(block), `"the app itself`, `"the app`, 1))
	if got := s.Post("/api/custom/session", "", "X-User: u"); got.Status != http.StatusTooManyRequests {
		t.Errorf("got %d", got.Status)
	}
}

// 16 clients at once: exactly n get through.
func TestRateLimitAtOnce(t *testing.T) {
	s := newSite(t, headerUser+"\n rate_limit user 20 1h"+quick(""))
	var ok, limited atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 10 {
				got, err := s.Try(http.MethodPost, "/api/custom/session", "", "X-User: u")
				switch {
				case err != nil:
					t.Error(err)
				case got.Status == http.StatusOK:
					ok.Add(1)
				case got.Status == http.StatusTooManyRequests:
					limited.Add(1)
				}
			}
		})
	}
	all.Wait()
	if ok.Load() != 20 || limited.Load() != 140 {
		t.Errorf("%d served, %d limited", ok.Load(), limited.Load())
	}
}

// No more than max_rate sessions are asked for at a provider; then the next one
// is, and when nobody is left the client is told when to come back.
func TestMaxRate(t *testing.T) {
	s := newSite(t, strings.Replace(headerUser+quick("max_rate 2 1h"), "max_rate 2", "max_rate 3", 1)) // backend 3, openai 2
	served := make([]string, 0, 7)
	for i := range 7 {
		got := s.Post("/api/custom/session", "", "X-User: u")
		served = append(served, fmt.Sprintf("%d %s %s", got.Status, got.Provider(), got.Reason()))
		if i >= 5 {
			checkError(t, got, "RATE_LIMITED")
			if wait, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || wait < 1100 || wait > 1200 {
				t.Errorf("Retry-After %q, want that of the backend, the sooner one", got.Header.Get("Retry-After"))
			}
		}
	}
	want := []string{"200 backend ", "200 backend ", "200 backend ", "200 openai rate_limited", "200 openai rate_limited", "429  ", "429  "}
	if strings.Join(served, ",") != strings.Join(want, ",") {
		t.Errorf("got %q, want %q", served, want)
	}
	if s.Backend.Calls() != 3 || s.OpenAI.Calls() != 2 {
		t.Errorf("asked %d and %d times", s.Backend.Calls(), s.OpenAI.Calls())
	}
}

// Retries are bounded too, and an outage of one provider does not become an
// attack on the next.
func TestMaxRateInAnOutage(t *testing.T) {
	s := newSite(t, strings.Replace(testsite.TwoProviders, "workflow wf_test", "workflow wf_test\n max_rate 5 1h", 1))
	testsite.Set(t, s.Backend, sandbox.Refuse)
	codes := map[int]int{}
	for range 20 {
		codes[s.Session().Status]++
	}
	if s.OpenAI.Calls() != 5 || codes[http.StatusOK] != 5 || codes[http.StatusOK]+codes[http.StatusBadGateway]+codes[http.StatusServiceUnavailable]+codes[http.StatusTooManyRequests] != 20 {
		t.Errorf("openai was asked %d times, answers %v", s.OpenAI.Calls(), codes)
	}
}

// A full max_rate says nothing about health: the breaker stays as it is, a
// half-open one gets its permit back, and streams go on.
func TestMaxRateLeavesTheBreakerAlone(t *testing.T) {
	s := newUnloadedSite(t)
	k := testsite.NewTaker(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"session_id":"` + r.Header.Get("X-Request-Id") + `"}`))
	})
	s.Load(testsite.Backends("", k.URL+"\n max_rate 1 1h"))
	for range 30 {
		s.Session()
	}
	if s.Metric(`breaker_state{provider="a",state="closed"}`) != 1 || len(k.Received()) != 1 {
		t.Errorf("the breaker is not closed, or asked %d times", len(k.Received()))
	}
	if got := s.Stream(); got.Status != http.StatusOK {
		t.Errorf("a stream got %d", got.Status)
	}
}

// Nobody was asked, each for another reason: the client is told when it is worth
// coming back.
func TestNobodyAskedForSeveralReasons(t *testing.T) {
	block := strings.Replace(testsite.TwoProviders, "workflow wf_test", "workflow wf_test\n max_rate 1 1h", 1)
	block = strings.Replace(block, "{env.TEST_BACKEND_KEY}", "{env.TEST_BACKEND_KEY}\n breaker {\n consecutive 1\n open 30s\n }", 1)
	s := newSite(t, block)
	testsite.Set(t, s.Backend, sandbox.Status500)
	if got := s.Session(); got.Status != http.StatusOK || got.Provider() != "openai" {
		t.Fatalf("got %d from %s", got.Status, got.Provider())
	}
	got := s.Session()
	checkError(t, got, "SESSION_ERROR")
	wait, err := strconv.Atoi(got.Header.Get("Retry-After"))
	if got.Status != http.StatusServiceUnavailable || err != nil || wait < 20 || wait > 34 {
		t.Errorf("got %d %s, Retry-After %q", got.Status, got.Raw, got.Header.Get("Retry-After"))
	}
}
