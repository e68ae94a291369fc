package identity

import (
	"net/http"
	"slices"
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
		if err := CheckUsers([]string{"{a}", text}); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Our own cookie is taken out of a carried request, and nothing else.
func TestRemoveCookie(t *testing.T) {
	for _, tt := range []struct{ lines, want []string }{
		{nil, nil},
		{[]string{"v=1"}, nil},
		{[]string{"a=1; v=1; b=2"}, []string{"a=1; b=2"}},
		{[]string{"v=1; v=2", "a=\"x y\"; vv=3"}, []string{"a=\"x y\"; vv=3"}},
		{[]string{"a=v=1;v=2 ; V=3"}, []string{"a=v=1; V=3"}},
		{[]string{"garbage"}, []string{"garbage"}},
	} {
		h := http.Header{"Cookie": tt.lines}
		if removeCookie(h, "v"); !slices.Equal(h["Cookie"], tt.want) {
			t.Errorf("%q: got %q, want %q", tt.lines, h["Cookie"], tt.want)
		}
	}
}
