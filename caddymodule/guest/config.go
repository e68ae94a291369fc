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
	defaultBackoff = caddy.Duration(50 * time.Millisecond)

	defaultMaxInFlight = 1000
)

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

	// The longest wait before the first retry. It doubles with each further one,
	// and the actual wait is a random part of it. Default: 50ms.
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
