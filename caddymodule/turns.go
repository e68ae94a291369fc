package caddymodule

import (
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// turnsPool holds the turns of the process, under one key: they outlive the
// configurations whose requests they answer.
var turnsPool = caddy.NewUsagePool()

const turnsKey = "turns"

// turns is what the chatkit routes of all handlers share.
type turns struct {
	*turn.Turns

	owners *turn.Owners
}

// Destruct implements [caddy.Destructor]. Where the process goes on without a chatkit
// route, the turns under way come to their own ends.
func (t *turns) Destruct() error {
	if caddy.Exiting() {
		t.Close()
	}
	return nil
}

// provisionTurns takes the turns from the pool, once.
func (h *Handler) provisionTurns(ctx caddy.Context) error {
	if h.turns != nil {
		return nil
	}
	v, _, err := turnsPool.LoadOrNew(turnsKey, func() (caddy.Destructor, error) {
		return &turns{turn.New(), turn.NewOwners(turn.OwnersSize, turn.OwnersLife)}, nil
	})
	if err != nil {
		return err
	}
	t, ok := v.(*turns)
	if !ok {
		return fmt.Errorf("pool holds a %T", v)
	}
	h.turns = t
	if server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok {
		keepConns(server)
		server.RegisterOnShutdown(func() { t.drain(ctx) })
	}
	return nil
}

// releaseTurns gives back what provisionTurns took.
func (h *Handler) releaseTurns() error {
	if h.turns == nil {
		return nil
	}
	h.turns = nil
	_, err := turnsPool.Delete(turnsKey)
	return err
}

// drain ends the turns shortly before the process does: at the end of the grace
// period the server cuts all connections. Without one it waits for every answer.
func (t *turns) drain(ctx caddy.Context) {
	if !caddy.Exiting() {
		return // a reload
	}
	app, err := ctx.AppIfConfigured("http")
	if err != nil {
		return
	}
	if http, ok := app.(*caddyhttp.App); ok && http.GracePeriod > 0 {
		grace := time.Duration(http.GracePeriod)
		time.AfterFunc(grace-min(grace/4, time.Second), t.Close)
	}
}

// asker is who sends a chatkit request. Who shows a credential is told apart by it,
// too: two people may have one address.
func (c *carriedRequest) asker() turn.Asker {
	a := turn.Asker{
		Scope:  c.h.siteKey() + " " + c.route.proxy.claimed,
		Caller: "address " + c.passage.caller.Address,
		Frame:  c.r.Header.Get("Chatkit-Frame-Instance-Id"),
	}
	if user := c.passage.caller.User; user != "" {
		a.Caller = "user " + user
	}
	if shown := credentials(c.r.Header); shown != "" {
		a.Credential = a.Caller + "\x00" + shown
		if c.passage.caller.User == "" {
			a.Credential = shown
		}
	}
	return a
}

// credentials are the headers by which a backend may know somebody, "" for none.
func credentials(h http.Header) (shown string) {
	for _, name := range []string{"Authorization", "Cookie"} {
		for _, value := range h[name] {
			shown += name + ": " + value + "\n"
		}
	}
	return shown
}

// turnObserver tells of the turns of a route.
type turnObserver struct {
	policy        *turnPolicy
	scope, caller string
	requestID     string
}

// observer returns the observer of a request's turn.
func (p *carriedProxy) observer(pass *passage) turn.Observer {
	return &turnObserver{p.turns, pass.asker.Scope, pass.asker.Caller, pass.requestID}
}

// Begun implements [turn.Observer].
func (*turnObserver) Begun() { telemetry.TurnBegun() }

// FirstToken implements [turn.Observer].
func (*turnObserver) FirstToken(d time.Duration) { telemetry.FirstToken(d) }

// Accepted implements [turn.Observer].
func (o *turnObserver) Accepted(thread string) {
	if o.policy.owner != ownerOff {
		o.policy.threads.Learn(o.scope, thread, o.caller)
	}
}

// Attached implements [turn.Observer].
func (*turnObserver) Attached() { telemetry.TurnAttached() }

// Ended implements [turn.Observer]. A turn that nobody answered is in the log of its
// request.
func (o *turnObserver) Ended(end turn.End, err error, unread bool) {
	telemetry.TurnEnded(string(end), unread)
	if !end.Broken() {
		return
	}
	if ok, held := brokenTurns.Pass(string(end)); ok {
		telemetry.Log().Warn("a turn broke off", zap.String("end", string(end)), zap.String("request_id", o.requestID),
			zap.Int("suppressed", held), zap.Error(err))
	}
}

// brokenTurns throttles the lines about turns that broke, by their ends.
var brokenTurns telemetry.Throttle

// turnEnds are the ends as metric labels.
func turnEnds() []string {
	ends := make([]string, len(turn.Ends))
	for i, e := range turn.Ends {
		ends[i] = string(e)
	}
	return ends
}

// turnOutcomes are the outcomes of requests by how their turns ended.
var turnOutcomes = map[turn.End]telemetry.CarriedOutcome{
	turn.Cut: telemetry.CarriedCut, turn.Reset: telemetry.CarriedCut, turn.Empty: telemetry.CarriedCut,
	turn.Unfinished: telemetry.CarriedCut, turn.Drained: telemetry.CarriedCut,
	turn.Idle: telemetry.CarriedIdle, turn.FirstToken: telemetry.CarriedIdle,
	turn.Canceled: telemetry.CarriedCanceled, turn.Failed: telemetry.CarriedFailed,
}
