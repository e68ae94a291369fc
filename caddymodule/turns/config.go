package turns

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/outage"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

const defaultFinish = caddy.Duration(2 * time.Minute)

// The words of the options.
const (
	finishTurn, cancelTurn               = "finish", "cancel"
	turnOn, turnOff                      = "on", "off"
	ownerOff, ownerLogged, ownerEnforced = "off", "log", "enforce"
)

// TurnConfig says how the turns of a chatkit route are served. A turn is a request of
// ChatKit's custom-server protocol that is answered by a stream: one message and its
// answer.
type TurnConfig struct {
	// The longest wait for the first frame with content, from when the backend was
	// asked. A turn without one counts as a failure of the backend; with failover
	// any it goes to the next one, else it ends with an error event. Default: off.
	// Hazard: the backend that hangs has stored the message already.
	FirstToken caddy.Duration `json:"first_token,omitempty"`

	// What to do when the client is lost. "finish": read the backend's stream to its
	// end, so that it stores the whole answer. "cancel": cancel the request. Default:
	// finish.
	OnDisconnect string `json:"on_disconnect,omitempty"`

	// How long the stream is read on with on_disconnect finish. Default: 2m.
	Finish caddy.Duration `json:"finish,omitempty"`

	// "on": an identical request of the same caller gets the same turn while it runs,
	// and for 30s after it ended well and nobody has read it to its end. "off":
	// each request is a turn. Default: on.
	Attach string `json:"attach,omitempty"`

	// How often a user may start a turn. Users without an account count by their
	// address. Default: no limit.
	Turns *limit.RateConfig `json:"turns,omitempty"`

	// How many turns a user may read at once. Default: no limit.
	Parallel int `json:"parallel,omitempty"`

	// What to do with a request in a thread that is known to be another caller's.
	// "log": warn. "enforce": answer as if the thread did not exist; bodies that are
	// longer than buffer, or that can be read in two ways, are refused. "off":
	// nothing. Default: log. Hazard: callers without an account are known by their
	// address only, which changes; do not enforce it for them.
	ThreadOwner string `json:"thread_owner,omitempty"`

	// What answers turns when no backend can, in the order they are asked. Default:
	// nothing; the turn ends with an error event then. With stand-ins, requests that
	// can be read in two ways are refused, and those that are longer than buffer and do
	// not name their thread in its beginning.
	StandIns []*standby.StandInConfig `json:"standins,omitempty"`

	// How much of backends' threads stand-ins may see. Default: the message that they
	// answer, and nothing else.
	Memory *outage.MemoryConfig `json:"memory,omitempty"`

	// Who is told what was said while no backend answered. Default: nobody.
	Handback *outage.HandbackConfig `json:"handback,omitempty"`
}

// outage returns what the configuration says of stand-ins.
func (c *TurnConfig) outage() outage.Config {
	return outage.Config{StandIns: c.StandIns, Memory: c.Memory, Handback: c.Handback}
}

// CheckAll returns an error for options that are invalid, or do not go together.
func (c *TurnConfig) CheckAll() error {
	if err := c.Check(); err != nil {
		return err
	}
	return c.outage().Check()
}

// Check returns an error for invalid options.
func (c *TurnConfig) Check() error {
	for _, o := range []struct {
		name, value string
		want        []string
	}{
		{"on_disconnect", c.OnDisconnect, []string{finishTurn, cancelTurn}},
		{"attach", c.Attach, []string{turnOn, turnOff}},
		{"thread_owner", c.ThreadOwner, []string{ownerOff, ownerLogged, ownerEnforced}},
	} {
		if o.value != "" && !slices.Contains(o.want, o.value) {
			return fmt.Errorf("invalid %s %q (want one of %q)", o.name, o.value, o.want)
		}
	}
	switch {
	case c.FirstToken < 0:
		return fmt.Errorf("first_token: %s is negative", time.Duration(c.FirstToken))
	case c.Finish < 0:
		return fmt.Errorf("finish: %s is negative", time.Duration(c.Finish))
	case c.Finish > 0 && c.OnDisconnect == cancelTurn:
		return fmt.Errorf("on_disconnect cancel: %s is for finish only", time.Duration(c.Finish))
	case c.Parallel < 0:
		return fmt.Errorf("parallel: %d is negative", c.Parallel)
	}
	if c.Turns != nil {
		if err := c.Turns.Rate().Check(); err != nil {
			return fmt.Errorf("turns: %w", err)
		}
	}
	return nil
}

// settings returns the options with the defaults filled in.
func (c *TurnConfig) settings() turn.Options {
	o := turn.Options{
		FirstToken: time.Duration(c.FirstToken), Finish: time.Duration(cmp.Or(c.Finish, defaultFinish)),
		Attach: c.Attach != turnOff, Parallel: c.Parallel,
	}
	if c.OnDisconnect == cancelTurn {
		o.Finish = 0
	}
	return o
}
