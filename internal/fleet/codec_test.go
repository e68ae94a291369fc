package fleet_test

import (
	"bytes"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
)

func codec(tb testing.TB, key string) *fleet.Codec {
	tb.Helper()
	c, err := fleet.NewCodec(key)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestCodec(t *testing.T) {
	c, same, other := codec(t, key), codec(t, key), codec(t, key+"x")
	sealed := c.Seal("place", []byte("plain"))
	if got, err := same.Open("place", sealed); err != nil || string(got) != "plain" {
		t.Errorf("got %q %v", got, err)
	}
	if _, err := other.Open("place", sealed); err == nil {
		t.Error("another key opens it")
	}
	if _, err := c.Open("elsewhere", sealed); err == nil {
		t.Error("it is worth something in another place")
	}
	if bytes.Equal(sealed, c.Seal("place", []byte("plain"))) {
		t.Error("the same text looks the same")
	}
	if c.Name("a", "bc") != same.Name("a", "bc") || c.Name("a", "bc") == other.Name("a", "bc") || c.Name("a", "bc") == c.Name("ab", "c") ||
		c.Name("a", "b", "c") == c.Name("a", "bc") {
		t.Error("names are not what they stand for")
	}
	if _, err := fleet.NewCodec("short"); err == nil {
		t.Error("a short key is accepted")
	}
}

// Whatever comes from the store, nothing panics, and only what was sealed opens.
func FuzzOpen(f *testing.F) {
	c := codec(f, key)
	f.Add([]byte("x"))
	f.Add(c.Seal("place", []byte("plain")))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if plain, err := c.Open("place", sealed); err == nil && string(plain) != "plain" {
			t.Errorf("opened %q", plain)
		}
	})
}
