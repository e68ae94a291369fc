package issuer_test

import (
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/issuer"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// made is a session with a secret.
func made(secret session.Secret) *session.Session {
	return &session.Session{Secret: secret, ExpiresAt: time.Now().Add(time.Hour)}
}

// What is known of a site stays known when it begins to share, and when it ends.
func TestSharingForgetsNothing(t *testing.T) {
	x := issuer.New(10, time.Hour)
	alone := x.Site("a")
	alone.Put(made("before"), "backend", "alice")
	shared := x.SharedSite("a", [16]byte{1}, [16]byte{2})
	shared.Put(made("since"), "backend", "alice")
	for name, s := range map[string]issuer.Site{"alone": x.Site("a"), "shared": shared} {
		for _, secret := range []session.Secret{"before", "since"} {
			if s.Get(secret) != "backend" || s.IssuedTo(secret, "alice") != "backend" || s.IssuedTo(secret, "mallory") != "" || !s.Knows(secret) {
				t.Errorf("%s does not know %s", name, secret.Reveal())
			}
		}
	}
	if x.Site("b").Knows("before") || x.SharedSite("b", [16]byte{1}, [16]byte{3}).Knows("since") {
		t.Error("another site knows it")
	}
	if _, _, ok := shared.Cancel(alone.ID("before")); !ok || !alone.Canceled("before") {
		t.Error("it cannot be cancelled by the id that it had")
	}
}

// Two processes with the same salts understand each other's records and ids.
func TestRecordsOfAnotherProcess(t *testing.T) {
	one, two := issuer.New(10, time.Hour), issuer.New(10, time.Hour)
	here, there := one.SharedSite("a:1", [16]byte{1}, [16]byte{2}), two.SharedSite("a:2", [16]byte{1}, [16]byte{2})
	here.Put(made("s"), "backend", "alice")
	name := there.Name("s")
	r, ok := here.Of(name)
	if !ok || r.Life() < time.Hour || r.Life() > 3*time.Hour {
		t.Fatalf("got %+v %v", r, ok)
	}
	there.Learn(name, r)
	if there.IssuedTo("s", "alice") != "backend" || there.IssuedTo("s", "mallory") != "" {
		t.Error("the record says something else there")
	}
	id := here.ID("s")
	if same, ok := there.NameOf(id); !ok || same != name || id == name {
		t.Errorf("the id %s is of %s, want %s", id, same, name)
	}
	two.CancelName(name)
	if !there.Canceled("s") || here.Canceled("s") {
		t.Error("not cancelled there, or cancelled here too")
	}
	for _, nonsense := range []string{"", "x", name + "0"} {
		there.Learn(nonsense, r)
		two.CancelName(nonsense)
		if _, ok := there.Of(nonsense); ok {
			t.Errorf("%q is a name", nonsense)
		}
	}
	there.Learn(name, issuer.Record{Provider: "other", Caller: "no hash"})
	if there.Get("s") != "backend" {
		t.Error("a record that cannot be is learned")
	}
}
