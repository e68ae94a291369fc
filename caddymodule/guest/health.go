package guest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// defaultHealthInterval is the time between two checks of health.
const defaultHealthInterval = caddy.Duration(5 * time.Second)

// HealthConfig says where a provider is asked for its health. It is asked with its key
// and its transport, within its timeout, and only while its breaker is open or
// half-open. 2xx is healthy. 408, 425, 429, 5xx, no answer and a late one are not. Any
// other answer, such as 404 or a redirect, says that the check itself is wrong:
// requests of users are the probes then, and an error is logged.
type HealthConfig struct {
	// The path, with a query if it needs one. Placeholders that can be resolved at
	// load time (`{env.*}`, `{file.*}`) work. Required.
	Path string `json:"path"`

	// The time between two checks, plus or minus 10 %, at least 100ms. Default: 5s.
	Interval caddy.Duration `json:"interval,omitempty"`
}

// interval returns the time between two checks, 0 for none.
func (h *HealthConfig) interval() time.Duration {
	if h == nil {
		return 0
	}
	return time.Duration(cmp.Or(h.Interval, defaultHealthInterval))
}

// path resolves the path.
func (h *HealthConfig) path(r block.Resolver) (*url.URL, error) { return r.Path("health", h.Path) }

// parseHealth parses `health <path> [<interval>]`.
func (c *ProviderConfig) parseHealth(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 1, 2, "health <path> [<interval>]")
	if err != nil {
		return err
	}
	c.Health = &HealthConfig{Path: args[0]}
	if err := block.Literally(args[0], c.Health.path); err != nil {
		return block.Located(d, err)
	}
	if len(args) == 2 {
		if err := block.ParseDuration(d, "health", args[1], &c.Health.Interval); err != nil {
			return err
		}
	}
	if err := c.breakerSettings().Check(); err != nil {
		return block.Located(d, err)
	}
	return block.NoBlock(d, "health")
}

// check returns how the provider p is asked for its health, nil where it is not.
func (h *HealthConfig) check(p session.Provider, limit time.Duration) (func(context.Context) error, error) {
	if h == nil {
		return nil, nil
	}
	checker, ok := p.(session.HealthChecker)
	if !ok {
		return nil, errors.New("health: this provider cannot be asked for its health")
	}
	path, err := h.path(block.NewResolver())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				err = &session.Failure{Reason: session.Misconfigured, Err: fmt.Errorf("provider panicked with a %T", p)}
			}
		}()
		return checker.CheckHealth(ctx, path)
	}, nil
}
