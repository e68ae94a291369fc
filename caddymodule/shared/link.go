package shared

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
	"github.com/caddy-chatkit/caddy-chatkit/internal/redisstore"
)

// links holds the connections in use, by what they connect to: a reload that leaves
// that as it is leaves them open.
var links = caddy.NewUsagePool()

// Link is the connection to a fleet. A nil one is none.
type Link struct {
	*connection

	key string // in the pool
}

// connection is a connection in the pool.
type connection struct {
	set   resolved
	codec *fleet.Codec

	mu    sync.Mutex
	fleet *fleet.Fleet // nil until it is needed
	over  bool
}

// Take returns the link of a configuration. It connects when Fleet is called: a
// configuration that is refused, or validated only, is to connect nowhere. The link
// has to be released.
func (c *FleetConfig) Take(ctx caddy.Context) (*Link, error) {
	set, err := c.resolve(block.NewResolver())
	if err != nil {
		return nil, err
	}
	if c.literal() {
		ctx.Logger().Warn("a secret of shared is written into the configuration; use {env.*} or {file.*}")
	}
	sum := sha256.Sum256(fmt.Append(nil, set.url.Reveal(), "\x00", set.key.Reveal(), "\x00", set.prefix, "\x00", set.timeout))
	key := hex.EncodeToString(sum[:])
	v, _, err := links.LoadOrNew(key, func() (caddy.Destructor, error) {
		codec, err := fleet.NewCodec(set.key.Reveal())
		return &connection{set: set, codec: codec}, err
	})
	if err != nil {
		return nil, fmt.Errorf("shared: %w", err)
	}
	conn, ok := v.(*connection)
	if !ok {
		return nil, fmt.Errorf("pool holds a %T", v)
	}
	return &Link{conn, key}, nil
}

// Release gives the link back.
func (l *Link) Release() error {
	if l == nil {
		return nil
	}
	_, err := links.Delete(l.key)
	return err
}

// Same reports whether two links connect to the same fleet.
func (l *Link) Same(other *Link) bool {
	return l == nil && other == nil || l != nil && other != nil && l.connection == other.connection
}

// Destruct implements [caddy.Destructor].
func (c *connection) Destruct() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.fleet == nil {
		return nil
	}
	gone(c)
	return c.fleet.Close()
}

// Fleet returns the fleet, nil where there is none, and connects to it.
func (l *Link) Fleet() *fleet.Fleet {
	if l == nil {
		return nil
	}
	return l.open()
}

func (c *connection) open() *fleet.Fleet {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fleet != nil || c.over {
		return c.fleet
	}
	redisstore.LogTo(func(line string) { telemetry.Log().Debug("redis client", zap.String("line", line)) })
	engine, err := redisstore.Open(c.set.url.Reveal(), fleet.Channel(c.set.prefix))
	if err != nil {
		return nil // the address has been checked
	}
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	c.fleet = fleet.New(engine, c.codec, fleet.Settings{Prefix: c.set.prefix, Timeout: c.set.timeout, Name: name}, c.observer())
	c.fleet.OnCanceled(heardCanceled)
	return c.fleet
}

// Take takes a token that all instances count, of what name stands for. known is
// false where the fleet does not answer.
func (l *Link) Take(r fleet.Rate, name ...string) (wait time.Duration, known bool) {
	f := l.Fleet()
	if f == nil {
		return 0, false
	}
	id := f.Name("rate", append(name, r.Per.String(), fmt.Sprint(r.N))...)
	return f.Take(id, r)
}
