package shared

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
)

// observer tells operators how a connection is doing.
type observer struct {
	conn  *connection
	lines telemetry.Throttle
}

func (c *connection) observer() *observer {
	o := &observer{conn: c}
	standing.set(c, false)
	return o
}

// standing is which connections are up. The gauge is 1 when all are.
var standing connections

type connections struct {
	mu sync.Mutex
	up map[*connection]bool
}

func (s *connections) set(c *connection, up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.up == nil {
		s.up = make(map[*connection]bool)
	}
	s.up[c] = up
	s.count()
}

// gone forgets a connection that is closed.
func gone(c *connection) {
	standing.mu.Lock()
	defer standing.mu.Unlock()
	delete(standing.up, c)
	standing.count()
}

func (s *connections) count() {
	all := len(s.up) > 0
	for _, up := range s.up {
		all = all && up
	}
	telemetry.SharedUp(all)
}

// Sent implements [fleet.Observer].
func (*observer) Sent(k fleet.Kind) { telemetry.SharedEvent("sent", string(k)) }

// Received implements [fleet.Observer].
func (*observer) Received(k fleet.Kind) { telemetry.SharedEvent("received", string(k)) }

// Dropped implements [fleet.Observer].
func (*observer) Dropped(k fleet.Kind) { telemetry.SharedEvent("dropped", string(k)) }

// Looked implements [fleet.Observer].
func (*observer) Looked(r fleet.Result) { telemetry.SharedLookup(string(r)) }

// Lag implements [fleet.Observer].
func (*observer) Lag(d time.Duration) { telemetry.SharedLag(d) }

// Up implements [fleet.Observer].
func (o *observer) Up(up bool, err error) {
	standing.set(o.conn, up)
	if up {
		telemetry.Log().Info("shared knowledge is available", zap.String("prefix", o.conn.set.prefix))
		return
	}
	telemetry.Log().Warn("shared knowledge is not available; this instance goes on with what it knows itself",
		zap.String("prefix", o.conn.set.prefix), zap.Error(err))
}

// Strange implements [fleet.Observer].
func (o *observer) Strange(err error) {
	if ok, held := o.lines.Pass("strange"); ok {
		telemetry.Log().Warn("something in shared cannot be read; do all instances have the same key?",
			zap.String("prefix", o.conn.set.prefix), zap.Int("suppressed", held), zap.Error(err))
	}
}

// Interface guards.
var _ fleet.Observer = (*observer)(nil)

// InitSeries creates the metric series of what is shared.
func InitSeries() {
	kinds, results := make([]string, 0, len(fleet.Kinds())), make([]string, 0, len(fleet.Results()))
	for _, k := range fleet.Kinds() {
		kinds = append(kinds, string(k))
	}
	for _, r := range fleet.Results() {
		results = append(results, string(r))
	}
	telemetry.InitShared(kinds, results)
}
