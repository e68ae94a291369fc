package caddymodule

import (
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// A text that only ends like a placeholder, or holds more than one, is not one.
func TestUserSources(t *testing.T) {
	repl := caddy.NewEmptyReplacer()
	repl.Set("a", "alice")
	repl.Set("b", "bob")
	for _, tt := range []struct{ text, want string }{
		{"{a}", "alice"},
		{"{a}{b}", "alicebob"},
		{"x-{a}", "x-alice"},
		{"abc}", "abc}"},
		{"{abc", "{abc"},
		{"{unknown}", ""},
		{"plain", "plain"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			if got := newUserSources([]string{tt.text})[0].value(repl); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
