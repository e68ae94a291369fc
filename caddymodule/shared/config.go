package shared

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
	"github.com/caddy-chatkit/caddy-chatkit/internal/redisstore"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// FleetConfig lets instances share what they know about providers and sessions, on a
// Redis or Valkey. Nothing depends on it: without Redis each instance goes on with
// what it knows itself.
type FleetConfig struct {
	// The address: `redis://user:password@host:6379/0`, `rediss://` for TLS,
	// `unix://`; `redis+sentinel://sentinel:26379?master_name=mymaster` for Sentinel,
	// `redis+cluster://host:6379?addr=host-2:6379` for a Cluster, `rediss+…` for these
	// with TLS. Use `{env.*}` or `{file.*}` where it has a password: one written here in
	// full can be read in /config/.
	URL string `json:"url"`

	// The key that hashes every name and encrypts every content in Redis, at least
	// 32 characters, the same for all instances. Required. Use `{env.*}` or `{file.*}`.
	// Hazard: instances with another key share nothing with these.
	Key string `json:"key"`

	// What every key in Redis begins with. Instances with another prefix share
	// nothing with these. Default: chatkit.
	Prefix string `json:"prefix,omitempty"`

	// The longest that a request waits for Redis, where this instance does not know
	// something itself. Default: 20ms. Hazard: while Redis is slow, requests that need
	// it can take this much longer.
	Timeout caddy.Duration `json:"timeout,omitempty"`
}

// Bounds and defaults.
const (
	defaultPrefix = "chatkit"
	maxTimeout    = time.Second
)

// validPrefix is what keys may begin with. Braces have a meaning in a Cluster, and
// stars in an access list.
var validPrefix = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$`)

// syntax is the line as it should be.
const syntax = "shared <redis-url>"

// UnmarshalCaddyfile sets up the sharing from a shared block. Syntax:
//
//	shared <redis-url> {
//		key     <secret>
//		prefix  <prefix>
//		timeout <duration>
//	}
func (c *FleetConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	at := *d
	args, err := block.Args(d, 1, 1, syntax)
	if err != nil {
		return err
	}
	c.URL = args[0]
	if err := block.Located(d, block.Literally(c.URL, c.address)); err != nil {
		return err
	}
	if err := c.Options().Parse(d, "shared", nil); err != nil {
		return err
	}
	if c.Key == "" {
		return at.Errf("shared: key is missing")
	}
	return nil
}

// Options are the lines of the shared block.
func (c *FleetConfig) Options() block.Options {
	return block.Options{
		"key": block.Text(&c.Key).Then(func() error { return block.Literally(c.Key, c.key) }),
		"prefix": block.Text(&c.Prefix).Then(func() error {
			return block.Literally(c.Prefix, c.prefix)
		}),
		"timeout": block.Duration(&c.Timeout).Then(c.checkTimeout),
	}
}

// resolved is a configuration without placeholders.
type resolved struct {
	url     session.Secret // it may have a password
	key     session.Secret
	prefix  string
	timeout time.Duration
}

// resolve replaces the placeholders and checks everything.
func (c *FleetConfig) resolve(r block.Resolver) (out resolved, err error) {
	if out.url, err = c.address(r); err != nil {
		return out, err
	}
	if out.key, err = c.key(r); err != nil {
		return out, err
	}
	if out.prefix, err = c.prefix(r); err != nil {
		return out, err
	}
	out.timeout = time.Duration(cmp.Or(c.Timeout, caddy.Duration(fleet.DefaultTimeout)))
	return out, c.checkTimeout()
}

// Check checks what needs no placeholder.
func (c *FleetConfig) Check() error {
	if c.URL == "" {
		return errors.New("shared: url is missing")
	}
	if c.Key == "" {
		return errors.New("shared: key is missing")
	}
	return c.checkTimeout()
}

func (c *FleetConfig) checkTimeout() error {
	if d := time.Duration(c.Timeout); d < 0 || d > maxTimeout {
		return fmt.Errorf("shared: timeout %s is out of range (want up to %s)", d, maxTimeout)
	}
	return nil
}

func (c *FleetConfig) address(r block.Resolver) (session.Secret, error) {
	out, err := r.Required("shared: url", c.URL)
	if err == nil {
		if err = redisstore.Check(out); err != nil {
			err = fmt.Errorf("shared: %w", err)
		}
	}
	return session.Secret(out), err
}

func (c *FleetConfig) key(r block.Resolver) (session.Secret, error) {
	out, err := r.Required("shared: key", c.Key)
	if err == nil {
		if _, err = fleet.NewCodec(out); err != nil {
			err = fmt.Errorf("shared: %w", err)
		}
	}
	return session.Secret(out), err
}

func (c *FleetConfig) prefix(r block.Resolver) (string, error) {
	out, err := r.Optional("shared: prefix", cmp.Or(c.Prefix, defaultPrefix))
	if err == nil && !validPrefix.MatchString(out) {
		err = fmt.Errorf("shared: invalid prefix %q (want letters, digits, '.', '_', ':' or '-', up to 64)", out)
	}
	return out, err
}

// literal reports whether a secret is written into the configuration itself.
func (c *FleetConfig) literal() bool {
	return block.LiteralSecret(c.Key) || block.LiteralSecret(c.URL) && strings.Contains(c.URL, "@")
}

// Interface guards.
var _ caddyfile.Unmarshaler = (*FleetConfig)(nil)
