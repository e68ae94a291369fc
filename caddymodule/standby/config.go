package standby

import (
	"encoding/json"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/guest"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
)

// Namespace is the namespace of stand-in modules. A module in it has to implement
// [standin.StandIn]; [caddyfile.Unmarshaler] makes it usable in a Caddyfile.
const Namespace = "http.handlers.chatkit.standins"

const (
	// defaultTimeout lets a model think, and a local one load.
	defaultTimeout = caddy.Duration(20 * time.Second)

	// longest is how long a whole answer may take. It ends one that trickles for ever.
	longest = 10 * time.Minute

	// maxText is how long an answer may become, in bytes.
	maxText = 256 << 10
)

// StandInConfig is a stand-in: what answers a turn when no backend can.
type StandInConfig struct {
	// The module: `{"module": "say", …}`, `{"module": "openai_chat", …}`,
	// `{"module": "openai_responses", …}` or one of a third party.
	StandInRaw json.RawMessage `json:"standin" caddy:"namespace=http.handlers.chatkit.standins inline_key=module"`

	// The name of the stand-in in metrics, logs and the admin API, where it stands
	// beside the providers. Letters, digits, '.', '_' and '-'. Default: the name of the
	// module. Within a configuration a name stands for one provider or stand-in.
	Name string `json:"name,omitempty"`

	// The longest wait for the first text of an answer, and for each further one.
	// What a model thinks to itself is no text. Before the first text the next
	// stand-in is asked then, after it the turn ends with an error. A whole answer may
	// take 10m. Default: 20s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// How many turns the stand-in may answer for all callers together. Beyond that the
	// next stand-in is asked, for reason rate_limited. Default: no limit. Hazard: in an
	// outage all your users come here.
	MaxTurns *limit.RateConfig `json:"max_turns,omitempty"`

	// The circuit breaker, as that of a provider. The time of a call is that of the
	// whole answer. Default: 5 consecutive failures, or half of at least 20 turns in
	// 10s; open for 15s.
	Breaker *guest.BreakerConfig `json:"breaker,omitempty"`
}
