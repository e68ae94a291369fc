package guest

import (
	"encoding/json"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
)

// Defaults of a provider.
const (
	defaultTimeout = caddy.Duration(3 * time.Second)
	defaultRetries = 1
	defaultBackoff = 50 * time.Millisecond
)

// DefaultMaxInFlight is how many attempts may be under way at once, also at a stand-in.
const DefaultMaxInFlight = 1000

// ProviderConfig is a provider of the chain: what it is, and the limits under which
// it is asked.
type ProviderConfig struct {
	// The provider module: `{"module": "backend", …}`, `{"module": "openai", …}`
	// or one of a third party.
	ProviderRaw json.RawMessage `json:"provider" caddy:"namespace=http.handlers.chatkit.providers inline_key=module"`

	// The name of the provider in metrics, logs, headers and routes. Letters,
	// digits, '.', '_' and '-'. Default: the name of the module. Within a
	// configuration a name stands for one provider: those with other settings,
	// also of other sites, need names of their own.
	Name string `json:"name,omitempty"`

	// The longest one attempt may take. Default: 3s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// How often the provider is asked again after an attempt that surely did
	// nothing: no connection, cut before an answer, 503. Default: 1. 0 switches
	// retries off.
	Retries *int `json:"retries,omitempty"`

	// The wait before the first retry. It doubles with each further one: 1s waits 1, 2
	// and 4 seconds. A retry that the deadline of the request leaves no time for is not
	// made, and neither is one beyond a fifth of the requests. Default: a random time of
	// at most 50ms, doubling likewise.
	Backoff caddy.Duration `json:"backoff,omitempty"`

	// The statuses that go on to the next provider: "503", "4xx", "5xx".
	// Replaces the default list, which is 401 to our own key, 404, 405, 408,
	// 425, 429 and 5xx. Hazard: with 401, 403 or 4xx in it, a user whom the
	// backend refuses gets a session elsewhere.
	FallbackOn []string `json:"fallback_on,omitempty"`

	// The models that the provider serves. A request for one of them goes only to
	// providers that list it; other names are not passed on. Default: all models.
	Models []string `json:"models,omitempty"`

	// How many sessions the provider is asked for, including retries. Beyond that
	// the next provider is asked, for reason rate_limited. Default: no limit.
	MaxRate *limit.RateConfig `json:"max_rate,omitempty"`

	// How long to wait for a session until the next provider is asked as well; the
	// first valid answer is served. A duration, or "p95" for the 95th percentile of
	// the provider's own answers of the last minute, once there are 20. At most a
	// tenth of the requests of any 10 seconds are hedged. The session that is not
	// served is canceled where its provider can: openai always, backend with cancel on.
	// Default: never. Hazard: until the first provider has answered nobody knows
	// whether it would refuse the caller. If it does so after another session was
	// served, that session is canceled, if it can be. So hedge cannot be used
	// together with forward_headers.
	Hedge string `json:"hedge,omitempty"`

	// How many attempts may be under way at once: sessions, and carried requests until
	// the header of their answer is there. Beyond that the next provider is asked, for
	// reason saturated. One caller gets at most half of them. Default: 1000. Hazard:
	// where it is low, a burst of healthy requests goes to the next provider too.
	MaxInFlight int `json:"max_in_flight,omitempty"`

	// Where to ask for the provider's health until its breaker is closed again. No
	// request is let through before it was found healthy. Default: off, and requests
	// of users are the probes.
	Health *HealthConfig `json:"health,omitempty"`

	// How long it takes after a recovery until the provider gets all requests again.
	// Its share grows evenly from 10 %; the others go to the next provider, for reason
	// ramp, if that may be asked. Half as many failures as usual open the breaker in
	// that time. Default: off.
	Ramp caddy.Duration `json:"ramp,omitempty"`

	// The circuit breaker. Default: 5 consecutive failures, or half of at
	// least 20 calls in 10s; open for 15s.
	Breaker *BreakerConfig `json:"breaker,omitempty"`
}
