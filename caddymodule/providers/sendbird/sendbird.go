// Package sendbird is the provider module for Sendbird's AI chat widget,
// http.handlers.chatkit.providers.sendbird.
package sendbird

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/upstream"
	api "github.com/caddy-chatkit/caddy-chatkit/internal/provider/sendbird"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func init() { caddy.RegisterModule(new(Sendbird)) }

// Sendbird is the provider for Sendbird's AI chat widget: it issues session
// tokens at the Platform API, `POST {host}/v3/users/{user_id}/token`. The answer
// to the front end has the token as `token` too, and the user as `user_id`.
//
// A user whom Sendbird refuses, and one it does not know unless create_users is
// set, gets no session elsewhere. A wrong token, an unknown application and a
// quota that is used up show as reason `misconfigured`; the rate limit of the
// application keeps the provider out for as long as Sendbird says.
//
// Placeholders that can be resolved at load time (`{env.*}`, `{file.*}`) work in
// every string.
type Sendbird struct {
	// The id of the Sendbird application. Required.
	AppID string `json:"app_id,omitempty"`

	// The master or a secondary API token of the application. Required. Use
	// `{env.*}` or `{file.*}`: a token written here in full can be read in
	// /config/.
	APIToken string `json:"api_token,omitempty"`

	// The life of a session token, 1s to 365d. Default: 10m.
	TTL caddy.Duration `json:"ttl,omitempty"`

	// Creates users whom Sendbird does not know. Hazard: every user who asks
	// becomes one of the application, anonymous visitors too, and counts
	// towards its plan. Default: off, and they are refused.
	CreateUsers bool `json:"create_users,omitempty"`

	// The host of the API, or its base address: "api-x.svc.delight.ai" or
	// "https://gateway.example.com/sendbird". Default: api-{app_id}.sendbird.com.
	Host string `json:"host,omitempty"`

	upstream.Transport
	*api.Sendbird `json:"-"`
}

// Widget implements [session.WidgetMaker].
func (*Sendbird) Widget() string { return "Sendbird" }

// CaddyModule returns the Caddy module information.
func (*Sendbird) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.chatkit.providers.sendbird",
		New: func() caddy.Module { return new(Sendbird) },
	}
}

// Provision resolves the configuration.
func (s *Sendbird) Provision(ctx caddy.Context) error {
	c, err := s.resolve(block.NewResolver())
	if err != nil {
		return err
	}
	if block.LiteralSecret(s.APIToken) {
		ctx.Logger().Warn("api_token is written into the configuration; use {env.*} or {file.*}")
	}
	if err := s.Load(ctx); err != nil {
		return err
	}
	c.Transport = s.RoundTripper()
	s.Sendbird = api.New(c)
	return nil
}

// resolve replaces the placeholders.
func (s *Sendbird) resolve(r block.Resolver) (c api.Config, err error) {
	c.TTL, c.CreateUsers = time.Duration(s.TTL), s.CreateUsers
	app, err := appID(r, s.AppID)
	if err != nil {
		return c, err
	}
	if s.APIToken == "" {
		return c, errors.New("api_token is missing")
	}
	if c.Token, err = r.Secret("api_token", s.APIToken); err != nil {
		return c, err
	}
	// Lower case, as browsers write the hosts they ask.
	host := "https://api-" + strings.ToLower(app) + ".sendbird.com"
	if s.Host != "" {
		c.BaseURL, err = hostURL(r, s.Host)
		return c, err
	}
	c.BaseURL, err = block.BaseURL("app_id", s.AppID, host, "api_token")
	return c, err
}

// Validate returns an error for an invalid life of a session.
func (s *Sendbird) Validate() error {
	if d := time.Duration(s.TTL); d != 0 && (d < api.MinTTL || d > api.MaxTTL) {
		return fmt.Errorf("ttl: %s is not between %s and %dd", d, api.MinTTL, api.MaxTTL/(24*time.Hour))
	}
	return nil
}

// validAppID is what may stand in the name of a host. Sendbird's ids are UUIDs.
var validAppID = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,57}[A-Za-z0-9])?$`)

// appID resolves the id of an application.
func appID(r block.Resolver, value string) (string, error) {
	out, err := r.Required("app_id", value)
	if err == nil && !validAppID.MatchString(out) {
		err = fmt.Errorf("invalid app_id %q (want 1 to 59 letters, digits or '-')", value)
	}
	return out, err
}

// hostURL resolves the host of an API, a name or the whole base address.
func hostURL(r block.Resolver, value string) (*url.URL, error) {
	out, err := r.Required("host", value)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(out, "://") {
		out = "https://" + out
	}
	return block.BaseURL("host", value, out, "api_token")
}

// Interface guards.
var (
	_ caddy.Validator       = (*Sendbird)(nil)
	_ caddy.Provisioner     = (*Sendbird)(nil)
	_ caddyfile.Unmarshaler = (*Sendbird)(nil)
	_ session.Provider      = (*Sendbird)(nil)
	_ session.WidgetMaker   = (*Sendbird)(nil)
)
