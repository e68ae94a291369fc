package guest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// ProviderNamespace is the namespace of provider modules. A module in it has to
// implement [session.Provider]; [caddyfile.Unmarshaler] makes it usable in a
// Caddyfile.
const ProviderNamespace = "http.handlers.chatkit.providers"

// validName is what a provider may be called: the name becomes a metric label, a
// header value and a part of a path.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// CheckName returns an error for an invalid name.
func CheckName(name string) error {
	if name == telemetry.NoProvider {
		return fmt.Errorf("name: %q is reserved; choose another", name)
	}
	if !validName.MatchString(name) {
		return fmt.Errorf("invalid name %q (want 1 to 63 letters, digits, '.', '_' or '-')", name)
	}
	return nil
}

// Label is what an error calls the i-th provider before it has a name.
func (c *ProviderConfig) Label(i int) string {
	return cmp.Or(c.Name, c.module(), fmt.Sprintf("#%d", i+1))
}

// module returns the name of the provider's module.
func (c *ProviderConfig) module() string {
	var m struct {
		Module string `json:"module"`
	}
	_ = json.Unmarshal(c.ProviderRaw, &m) // LoadModule reports what is wrong with it
	return m.Module
}

// Provision loads the provider's module. Its state comes from the registry, when the
// configuration starts. at says where the handler stands.
func (c *ProviderConfig) Provision(ctx caddy.Context, app *registry.App, at registry.User) (*chain.Target, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	t, err := c.target(s.Name)
	if err != nil {
		return nil, err
	}
	mod, err := ctx.LoadModule(c, "ProviderRaw")
	if err != nil {
		return nil, err
	}
	p, ok := mod.(session.Provider)
	if !ok {
		return nil, fmt.Errorf("module %T is not a provider", mod)
	}
	if err := c.checkForwarded(p); err != nil {
		return nil, err
	}
	t.Provider, t.Detach, t.Discard, t.Late = p, detach, discarder(p), late(p)
	if c.Hedge != "" && t.Discard == nil {
		ctx.Logger().Warn("hedge without a way to cancel: sessions that lose live on at the provider; backend has cancel on for them",
			zap.String("provider", s.Name))
	}
	check, err := c.Health.check(p, t.Timeout)
	if err != nil {
		return nil, err
	}
	hinter, _ := mod.(session.Hinter)
	at.CheckHealth = check
	at.Bind = func(state *registry.Provider) { bind(t, state, state.Observer(ctx.Logger(), hinter)) }
	return t, app.Take(s, at)
}

// bind gives a target the state of its provider.
func bind(t *chain.Target, state *registry.Provider, o chain.Observer) {
	t.Breaker, t.RetryBudget, t.Places = state.Breaker, state.RetryBudget, state.Places
	t.Hedge, t.Orphans = state.Hedge, state.Orphans
	t.Observer = o
	if state.Cap != nil { // a nil pointer is not a nil interface
		t.Cap = state.Cap
	}
}

// target returns the provider's limits with the defaults filled in.
func (c *ProviderConfig) target(name string) (t *chain.Target, err error) {
	t = &chain.Target{
		Name:     name,
		Timeout:  time.Duration(cmp.Or(c.Timeout, defaultTimeout)),
		Retries:  defaultRetries,
		Backoff:  defaultBackoff,
		Schedule: time.Duration(c.Backoff),
		Models:   c.Models,
	}
	if c.Retries != nil {
		t.Retries = *c.Retries
	}
	if len(c.FallbackOn) > 0 {
		if t.FallbackOn, err = session.ParseStatusSet(c.FallbackOn); err != nil {
			return nil, fmt.Errorf("fallback_on: %w", err)
		}
	}
	return t, nil
}

// settings are what the registry knows of the provider. The hash is over its
// configuration, with placeholders unexpanded; LoadModule empties that.
func (c *ProviderConfig) settings() (s registry.Settings, err error) {
	s.Module = c.module()
	if s.Module == "" {
		return s, errors.New("module is missing (want the kind of provider, such as backend or openai)")
	}
	s.Name = cmp.Or(c.Name, s.Module)
	if err := CheckName(s.Name); err != nil {
		return s, err
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return s, fmt.Errorf("hashing settings: %w", err)
	}
	sum := sha256.Sum256(raw)
	s.Hash, s.Breaker = hex.EncodeToString(sum[:8]), c.breakerSettings()
	s.MaxInFlight = cmp.Or(c.MaxInFlight, DefaultMaxInFlight)
	if s.Hedge, err = c.hedge(); err != nil {
		return s, err
	}
	if c.MaxRate != nil {
		rate := c.MaxRate.Rate()
		s.MaxRate = &rate
	}
	if s.Identity, err = identityOf(raw); err != nil {
		return s, fmt.Errorf("hashing settings: %w", err)
	}
	return s, nil
}

// breakerSettings returns the settings of the breaker and of what stands around it.
func (c *ProviderConfig) breakerSettings() breaker.Settings {
	s := c.Breaker.Settings()
	s.Health, s.Ramp = c.Health.interval(), time.Duration(c.Ramp)
	return s
}

// check refuses invalid limits.
func (c *ProviderConfig) check() error {
	switch {
	case len(c.ProviderRaw) == 0:
		return errors.New("provider is missing")
	case c.Timeout < 0:
		return fmt.Errorf("timeout: %s is negative", time.Duration(c.Timeout))
	case c.Timeout != 0 && time.Duration(c.Timeout) < chain.MinAttempt:
		return fmt.Errorf("timeout %s is too short (minimum %s)", time.Duration(c.Timeout), chain.MinAttempt)
	case c.Backoff < 0:
		return fmt.Errorf("retries: backoff %s is negative", time.Duration(c.Backoff))
	case c.Retries != nil && (*c.Retries < 0 || *c.Retries > maxRetries):
		return fmt.Errorf("retries: %d is not between 0 and %d", *c.Retries, maxRetries)
	case c.MaxInFlight < 0:
		return fmt.Errorf("max_in_flight: %d is negative", c.MaxInFlight)
	}
	if c.MaxRate != nil {
		if err := c.MaxRate.Rate().Check(); err != nil {
			return fmt.Errorf("max_rate: %w", err)
		}
	}
	if err := checkModelNames(c.Models); err != nil {
		return err
	}
	if err := c.Breaker.Settings().Check(); err != nil {
		return fmt.Errorf("breaker: %w", err)
	}
	return c.breakerSettings().Check() // health and ramp
}

// maxRetries is the most retries of one provider within one request.
const maxRetries = 10

// checkModelNames returns an error for an empty or a repeated name.
func checkModelNames(names []string) error {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		switch {
		case name == "":
			return errors.New("model: name is empty")
		case seen[name]:
			return fmt.Errorf("model: %q is given twice", name)
		}
		seen[name] = true
	}
	return nil
}
