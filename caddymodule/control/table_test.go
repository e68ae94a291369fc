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
			{Sites: []string{"a.test"}, Path: "/1", Providers: chain, Serving: "openai"},
			{Sites: []string{"a.test"}, Path: "/2", Providers: chain, Serving: "openai"},
			{Sites: []string{"b.test", "c.test:81"}, Path: "/1", Providers: chain[:1]},
			{Path: "/1", Providers: chain, Serving: "backend"},
		},
	}
	var out strings.Builder
	writeServing(&out, o)
	want := "a.test: openai serves (backend, then openai)\n" +
		"b.test, c.test:81: NOBODY serves (backend)\n" +
		"all sites: backend is asked, AND FAILS (backend, then openai)\n\n"
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
}

// What others have written cannot control the terminal.
func TestPlain(t *testing.T) {
	for text, want := range map[string]string{"a  b": "a b", "a\x1b[2Jb\nc": "a [2Jb c", "": "", "ä…": "ä…", "a\u202eb": "a b"} {
		if got := plain(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
