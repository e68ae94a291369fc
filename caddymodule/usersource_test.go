package caddymodule

import (
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// A source is empty if any placeholder in it is.
func TestUserSources(t *testing.T) {
	repl := caddy.NewEmptyReplacer()
	repl.Set("a", "alice")
	repl.Set("b", "bob")
	repl.Set("empty", "")
	for _, tt := range []struct{ text, want string }{
		{"{a}", "alice"},
		{"{a}{b}", "alicebob"},
		{"x-{a}", "x-alice"},
		{"{unknown}", ""},
		{"{empty}", ""},
		{"x-{unknown}", ""},
		{"x-{empty}", ""},
		{"{a}-{empty}", ""},
		{"{empty}{a}", ""},
	} {
		t.Run(tt.text, func(t *testing.T) {
			if got := newUserSources([]string{tt.text})[0].value(repl); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A source without a placeholder would make everybody one user.
func TestCheckUsers(t *testing.T) {
	for text, ok := range map[string]bool{
		"{a}": true, "x-{http.auth.user.id}": true, "{a}{b}": true, "plain": false, "{}": false, "{abc": false, "abc}": false, "{a b}": false, "": false,
	} {
		if err := (&Handler{User: []string{"{a}", text}}).checkUsers(); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
