package origin

import (
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

// CORSConfig says which origins may use the routes from a browser.
type CORSConfig struct {
	// The allowed origins, "https://app.example.com" or with a wildcard for one
	// label, "https://*.example.com". Placeholders that can be resolved at load
	// time (`{env.*}`, `{file.*}`) work. Default: all, without working credentials (browsers
	// refuse the documented pair of headers).
	Origins []string `json:"origins,omitempty"`

	// The request headers a preflight allows. Default: whatever is asked for.
	Headers []string `json:"headers,omitempty"`

	// Response headers scripts may read, beside the product's own.
	Expose []string `json:"expose,omitempty"`

	// How long browsers may keep the answer to a preflight, in whole seconds.
	// Default: not sent; most browsers then keep it for 5s.
	MaxAge caddy.Duration `json:"max_age,omitempty"`
}

// UnmarshalCaddyfile sets up the policy from a cors block. Syntax:
//
//	cors {
//		origins <origin>...
//		headers <header>...
//		expose  <header>...
//		max_age <duration>
//	}
func (c *CORSConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.Errf("unexpected argument %q after cors (want cors { origins %s })", d.Val(), d.Val())
	}
	return c.Options().Parse(d, "cors", nil)
}

// Options are the lines of the cors block.
func (c *CORSConfig) Options() block.Options {
	return block.Options{
		"origins": block.Texts(&c.Origins).Then(c.Check),
		"headers": block.Texts(&c.Headers).Then(c.Check),
		"expose":  block.Texts(&c.Expose).Then(c.Check),
		"max_age": block.Duration(&c.MaxAge).Then(c.Check),
	}
}

// Check returns an error for the first invalid word.
func (c *CORSConfig) Check() error {
	for _, o := range c.Origins {
		if strings.Contains(o, "{") {
			continue // checked when it is replaced
		}
		if _, err := parseOrigin(o); err != nil {
			return fmt.Errorf("origins: %w", err)
		}
	}
	if err := block.HeaderNames("headers", c.Headers); err != nil {
		return err
	}
	if err := block.HeaderNames("expose", c.Expose); err != nil {
		return err
	}
	if c.MaxAge < 0 {
		return fmt.Errorf("max_age: %s is negative", time.Duration(c.MaxAge))
	}
	if time.Duration(c.MaxAge)%time.Second != 0 {
		return fmt.Errorf("max_age: %s is not a whole number of seconds", time.Duration(c.MaxAge))
	}
	return nil
}
