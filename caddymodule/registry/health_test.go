package registry

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// What operators read of an error has nothing in it that is secret or an
// upstream's own words.
func TestErrorText(t *testing.T) {
	const dial = "dial tcp 127.0.0.1:19001: connect: connection refused"
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"nothing", nil, ""},
		{"of the transport", errors.New(dial), dial},
		{"with a URL around it", &url.Error{Op: "Post", URL: "https://u:secret@h/?key=secret", Err: errors.New(dial)}, dial},
		{"a URL in the text", errors.New("proxy https://u:secret@h:81/secret?k=secret failed"), "proxy https://h:81 failed"},
		{"a URL that is not one", errors.New("proxy https://u:secret@h:x/secret failed"), "proxy … failed"},
		{"quoted by net/http", errors.New(`malformed HTTP response "secret \"secret\" secret"`), `malformed HTTP response "…"`},
		{"quoted and cut", errors.New(`malformed HTTP response "secret`), `malformed HTTP response "…"`},
		{"a status", &session.Failure{Status: 500}, "provider answered 500"},
		{"a wrapped cause", fmt.Errorf("reading answer: %w", errors.New("unexpected EOF")), "reading answer: unexpected EOF"},
		{"more than a line", errors.New("a\nb\x00c\xff"), "a b c\uFFFD"},
		{"long", errors.New(strings.Repeat("ä", 300)), strings.Repeat("ä", 200) + "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := ErrorText(tt.err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
