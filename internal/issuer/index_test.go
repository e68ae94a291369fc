package issuer_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/issuer"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// newSite returns a site of a new index.
func newSite(life time.Duration) issuer.Site {
	return issuer.New(10, life).Site("one.example.com")
}

func put(x issuer.Site, secret, provider string, until time.Time) {
	x.Put(&session.Session{Secret: session.Secret(secret), ExpiresAt: until}, provider, "u1")
}

func TestIndex(t *testing.T) {
	x := newSite(time.Hour)
	put(x, "a", "backend", time.Time{})
	put(x, "b", "openai", time.Now().Add(time.Minute))
	put(x, "old", "backend", time.Now().Add(-2*time.Hour))
	put(x, strings.Repeat("long", 2000), "backend", time.Time{})
	put(x, "moved", "backend", time.Time{})
	put(x, "moved", "openai", time.Time{})
	for _, tt := range []struct{ name, secret, want string }{
		{"known", "a", "backend"},
		{"of another provider", "b", "openai"},
		{"unknown", "c", ""},
		{"empty", "", ""},
		{"long over", "old", ""},
		{"long", strings.Repeat("long", 2000), "backend"},
		{"long, another", strings.Repeat("long", 1999) + "lonk", ""},
		{"issued again by another", "moved", "openai"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := x.Get(session.Secret(tt.secret)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := x.IssuedTo(session.Secret(tt.secret), "u1"); got != tt.want {
				t.Errorf("its caller got %q, want %q", got, tt.want)
			}
			if got := x.IssuedTo(session.Secret(tt.secret), "u2"); got != "" {
				t.Errorf("another caller got %q", got)
			}
		})
	}
}

// A session is known until an hour after its end: front ends refresh late.
func TestIndexExpiry(t *testing.T) {
	x := newSite(24 * time.Hour)
	synctest.Test(t, func(t *testing.T) {
		put(x, "a", "backend", time.Now().Add(10*time.Minute))
		time.Sleep(69 * time.Minute)
		if got := x.Get("a"); got != "backend" {
			t.Errorf("got %q within the grace", got)
		}
		time.Sleep(2 * time.Minute)
		if got := x.Get("a"); got != "" {
			t.Errorf("got %q after it", got)
		}
	})
}

// The index stays within its size, however many sessions there are.
func TestIndexIsBounded(t *testing.T) {
	before := heap()
	x := issuer.New(issuer.Size, issuer.Life)
	site := x.Site("one.example.com")
	for i := range 2 * issuer.Size {
		put(site, fmt.Sprintf("session-%d-0123456789abcdef0123456789abcdef", i), "backend", time.Time{})
	}
	if x.Len() < issuer.Size*95/100 {
		t.Errorf("holds %d sessions, want about %d", x.Len(), issuer.Size)
	}
	used := heap() - before
	t.Logf("%d sessions take %.1f MiB", x.Len(), float64(used)/(1<<20))
	if limit := int64(40 << 20); used > limit {
		t.Errorf("takes %d bytes, want at most %d", used, limit)
	}
	runtime.KeepAlive(x)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A site knows nothing of the sessions of another: it cannot find, refresh or cancel
// them, not even by their ids.
func TestSites(t *testing.T) {
	x := issuer.New(10, time.Hour)
	one, two := x.Site("one.example.com"), x.Site("two.example.com")
	put(one, "a", "backend", time.Time{})
	if two.Get("a") != "" || two.IssuedTo("a", "u1") != "" {
		t.Error("the other site knows the session")
	}
	for _, id := range []string{one.ID("a"), two.ID("a")} {
		if _, _, ok := two.Cancel(id); ok {
			t.Error("the other site canceled the session")
		}
	}
	put(two, "a", "another", time.Time{})
	if _, _, ok := two.Cancel(two.ID("a")); !ok || !two.Canceled("a") || one.Canceled("a") || one.Get("a") != "backend" {
		t.Error("the same secret at the other site is not a session of its own")
	}
	if again := x.Site("one.example.com"); again.Get("a") != "backend" {
		t.Error("the site has lost its session")
	}
}
