package turns

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/outage"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/shared"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// pool holds the turns of the process, under one key: they outlive the
// configurations whose requests they answer.
var pool = caddy.NewUsagePool()

const poolKey = "turns"

// common is what the chatkit routes of all handlers share.
type common struct {
	*turn.Turns

	owners *turn.Owners
}

// Destruct implements [caddy.Destructor]. Where the process goes on without a chatkit
// route, the turns under way come to their own ends.
func (s *common) Destruct() error {
	if caddy.Exiting() {
		s.Close()
	}
	return nil
}

// Turns are the turns of the process, as a handler holds them. The zero value holds
// none.
type Turns struct {
	common   *common
	standIns []*outage.Policy
}

// Take takes the turns from the pool, once.
func (t *Turns) Take(ctx caddy.Context) error {
	if t.common != nil {
		return nil
	}
	v, _, err := pool.LoadOrNew(poolKey, func() (caddy.Destructor, error) {
		return &common{turn.New(), turn.NewOwners(turn.OwnersSize, turn.OwnersLife)}, nil
	})
	if err != nil {
		return err
	}
	s, ok := v.(*common)
	if !ok {
		return fmt.Errorf("pool holds a %T", v)
	}
	t.common = s
	if server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok {
		keepConns(server)
		server.RegisterOnShutdown(func() { s.drain(ctx) })
	}
	return nil
}

// Release gives back what Take took.
func (t *Turns) Release() error {
	if t.common == nil {
		return nil
	}
	errs := make([]error, 0, len(t.standIns)+1)
	for _, s := range t.standIns {
		errs = append(errs, s.Close())
	}
	*t = Turns{}
	_, err := pool.Delete(poolKey)
	return errors.Join(append(errs, err)...)
}

// Policy returns the policy of a route. No configuration is the defaults. threads says
// whom else to ask whose a thread is; its Owners are those of the process.
func (t *Turns) Policy(c *TurnConfig, threads shared.Threads, logger *zap.Logger) *Policy {
	threads.Owners = t.common.owners
	c = cmp.Or(c, new(TurnConfig))
	return &Policy{
		options: c.settings(), common: t.common, owner: cmp.Or(c.ThreadOwner, ownerLogged), rate: c.Turns, logger: logger, threads: threads,
	}
}

// drain ends the turns shortly before the process does: at the end of the grace
// period the server cuts all connections. Without one it waits for every answer.
func (s *common) drain(ctx caddy.Context) {
	if !caddy.Exiting() {
		return // a reload
	}
	app, err := ctx.AppIfConfigured("http")
	if err != nil {
		return
	}
	if http, ok := app.(*caddyhttp.App); ok && http.GracePeriod > 0 {
		grace := time.Duration(http.GracePeriod)
		time.AfterFunc(grace-min(grace/4, time.Second), s.Close)
	}
}
