package control

import (
	"strings"
	"testing"
	"time"
)

// Who serves is said once for all routes of a site that have the same chain, and
// an outage is not called service.
func TestWriteServing(t *testing.T) {
	now := time.Now()
	chain := []string{"backend", "openai"}
	o := &overview{
		Providers: []provider{{ID: "backend", FailingSince: &now}, {ID: "openai"}},
		Routes: []route{
			{Sites: []string{"a.test"}, Kind: "session", Path: "/1", Providers: chain, Serving: "openai"},
			{Sites: []string{"a.test"}, Kind: "refresh", Path: "/2", Providers: chain, Serving: "openai"},
			{Sites: []string{"b.test", "c.test:81"}, Kind: "stream", Path: "/1", Providers: chain[:1]},
			{Kind: "session", Path: "/1", Providers: chain, Serving: "backend"},
		},
	}
	var out strings.Builder
	writeServing(&out, o)
	want := "a.test session, refresh: openai serves (backend, then openai)\n" +
		"b.test, c.test:81 stream: NOBODY serves (backend)\n" +
		"all sites session: backend is asked, AND FAILS (backend, then openai)\n\n"
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
}

// Nothing that the admin API says reaches the terminal as more than text.
func TestTableIsPrintable(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"plain":           {"deploy of the backend", "deploy of the backend"},
		"other languages": {"déploiement 部署 🚀", "déploiement 部署 🚀"},
		"escape":          {"\x1b[2J\x1b]0;title\a", "\ufffd[2J\ufffd]0;title\ufffd"},
		"C1":              {"a\u009b31m", "a\ufffd31m"},
		"bidi":            {"a\u202eb", "a\ufffdb"},
		"zero width":      {"a\u200bb", "a\ufffdb"},
		"lines":           {"a\nb\tc\u2028d", "a b c d"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			p := provider{ID: "backend", Module: "backend", State: "forced_open"}
			p.Forced = &struct {
				Until  time.Time `json:"until"`
				Reason string    `json:"reason"`
				By     string    `json:"by"`
			}{Until: time.Now().Add(time.Hour), Reason: c.text}
			if err := writeTable(&out, []provider{p}); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); !strings.HasSuffix(got, "  "+c.want+"\n") || strings.Count(got, "\n") != 2 {
				t.Errorf("got %q, want it to end in %q", got, c.want)
			}
		})
	}
}
