package issuer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestCancel(t *testing.T) {
	x := newSite(time.Hour)
	end := time.Now().Add(time.Minute).Truncate(time.Second)
	x.Put(&session.Session{Secret: "one", ExpiresAt: end}, "backend", "u1")
	x.Put(&session.Session{Secret: "two"}, "backend", "u1")
	id := x.ID("one")
	if strings.Contains(id, "one") || id == x.ID("two") || id != x.ID("one") || id == newSite(time.Hour).ID("one") {
		t.Errorf("the id is %q", id)
	}
	if x.Canceled("one") {
		t.Error("canceled from the start")
	}
	if by, until, ok := x.Cancel(id); !ok || by != "backend" || !until.Equal(end) {
		t.Errorf("got %q, %v, %t", by, until, ok)
	}
	if _, until, ok := x.Cancel(x.ID("two")); !ok || !until.IsZero() {
		t.Errorf("got %v, %t", until, ok)
	}
	if !x.Canceled("one") || !x.Canceled("two") || x.Canceled("three") || x.Get("one") != "backend" {
		t.Error("not as it was canceled")
	}
}

// IDs come from clients and may be anything.
func TestCancelUnknown(t *testing.T) {
	x := newSite(time.Hour)
	x.Put(&session.Session{Secret: "one"}, "backend", "u1")
	for _, id := range []string{
		"", "x", x.ID("two"), x.ID("one")[1:], x.ID("one") + "0", x.ID("one") + "00", strings.Repeat("z", 32), strings.Repeat("0", 48),
	} {
		if _, _, ok := x.Cancel(id); ok || x.Canceled("one") {
			t.Errorf("%q canceled something", id)
		}
	}
}
