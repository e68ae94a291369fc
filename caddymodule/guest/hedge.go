package guest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/internal/hedge"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// p95 is the word for the provider's own percentile.
const p95 = "p95"

// hedge returns when the next provider is asked as well, nil for never.
func (c *ProviderConfig) hedge() (*time.Duration, error) {
	if c.Hedge == "" {
		return nil, nil
	}
	after := hedge.P95
	if c.Hedge != p95 {
		d, err := caddy.ParseDuration(c.Hedge)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("hedge: invalid duration %q (want 500ms, 1s or p95)", c.Hedge)
		}
		after = d
	}
	if limit := time.Duration(cmp.Or(c.Timeout, defaultTimeout)); after >= limit {
		return nil, fmt.Errorf("hedge: %s is not below timeout, %s", after, limit)
	}
	return &after, nil
}

// parseHedge parses `hedge <duration>|p95`.
func (c *ProviderConfig) parseHedge(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 1, 1, "hedge <duration>|p95")
	if err != nil {
		return err
	}
	var after caddy.Duration
	switch {
	case args[0] == p95:
	case strings.HasPrefix(args[0], "p"):
		return d.Errf("hedge: unknown percentile %q (want p95, or a duration)", args[0])
	default:
		if err := block.ParseDuration(d, "hedge", args[0], &after); err != nil {
			return err
		}
	}
	c.Hedge = args[0]
	return block.NoBlock(d, "hedge")
}

// checkForwarded refuses to hedge where the backend checks the caller's own credentials:
// whoever it refuses could have got a session elsewhere by then.
func (c *ProviderConfig) checkForwarded(p session.Provider) error {
	f, ok := p.(session.HeaderForwarder)
	if c.Hedge != "" && ok && len(f.ForwardedHeaders()) > 0 {
		return errors.New("hedge cannot be used together with forward_headers: a caller whom the provider refuses could get a session of another one")
	}
	return nil
}

// late reports whether calls go on after their time limit.
func late(p session.Provider) bool {
	o, ok := p.(session.OrphanCanceler)
	return ok && o.CancelsOrphans()
}

// discarder returns what cancels a session of the provider, nil where nothing does.
func discarder(p session.Provider) func(context.Context, *session.Session, string) error {
	if late(p) {
		return p.(session.OrphanCanceler).CancelOrphan //nolint:forcetypeassert // as late has found
	}
	c, ok := p.(session.Canceler)
	if !ok {
		return nil
	}
	return func(ctx context.Context, s *session.Session, requestID string) error {
		if s.ID == "" {
			return errors.ErrUnsupported
		}
		_, err := c.Cancel(ctx, s.ID, requestID)
		return err
	}
}

// detach returns a context for a call that may outlive its request, with the values of
// the request's but for the variables: the request goes on to change them, and they have
// no lock.
func detach(ctx context.Context) context.Context {
	return context.WithValue(context.WithoutCancel(ctx), caddyhttp.VarsCtxKey, map[string]any{})
}
