package identity

import (
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"golang.org/x/net/http/httpguts"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

// Defaults of the configuration.
const (
	// DefaultUser is where the user's id comes from.
	DefaultUser = "{http.auth.user.id}"

	defaultCookie = "chatkit_session_id"
)

// AnonymousConfig lets visitors without an account have sessions.
type AnonymousConfig struct {
	// The cookie with the visitor's id, a random UUID that is signed and lives for
	// 30 days. On HTTPS its name gets the prefix __Host-. Upstream the id is
	// anon-<uuid>. Default: chatkit_session_id.
	Cookie string `json:"cookie,omitempty"`

	// The key that signs the cookie, at least 32 characters. Default: a random one
	// in Caddy's storage, which the instances on that storage share. Use `{env.*}`
	// or `{file.*}`: a key written here in full can be read in /config/. Hazard:
	// with another key all visitors become new ones.
	Key string `json:"key,omitempty"`
}

// UnmarshalCaddyfile sets up the visitors from an anonymous block. Syntax:
//
//	anonymous [<cookie>] {
//		key <secret>
//	}
func (c *AnonymousConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 0, 1, "anonymous [<cookie>]")
	if err != nil {
		return err
	}
	if len(args) == 1 {
		c.Cookie = args[0]
		if err := checkCookieName(c.Cookie); err != nil {
			return block.Located(d, err)
		}
	}
	return c.Options().Parse(d, "anonymous", nil)
}

// Options are the lines of the anonymous block.
func (c *AnonymousConfig) Options() block.Options {
	return block.Options{"key": block.Text(&c.Key).Then(c.checkKey)}
}

// Check returns an error for a cookie that visitors cannot have.
func (c *AnonymousConfig) Check() error {
	if c.Cookie == "" { // the default
		return nil
	}
	return checkCookieName(c.Cookie)
}

// checkCookieName returns an error for a name that the visitors' cookie cannot have.
func checkCookieName(name string) error {
	if !httpguts.ValidHeaderFieldName(name) { // RFC 6265 and RFC 9110 both say token
		return fmt.Errorf("anonymous: invalid cookie name %q", name)
	}
	if lower := strings.ToLower(name); strings.HasPrefix(lower, "__host-") || strings.HasPrefix(lower, "__secure-") {
		return fmt.Errorf("anonymous: invalid cookie name %q (want it without a prefix; on HTTPS it gets %s)", name, hostPrefix)
	}
	return nil
}
