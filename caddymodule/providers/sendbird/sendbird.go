// Package sendbird is the provider for Sendbird's AI chat widget,
// http.handlers.chatkit.providers.sendbird. It issues session tokens through the
// Platform API, POST /v3/users/{user_id}/token, and creates users there if
// configured to.
//
// Sendbird answers nearly every error with HTTP 400 and a numeric code in the
// body. A failure of this package has the status that its code stands for, so
// that classification and fallback_on work as for other providers.
//
// Sources: the guide to custom sessions of sendbird/chat-ai-widget, and the
// pages on session tokens, users, error codes and rate limits of Sendbird's
// Platform API v3.
package sendbird

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/upstream"
	"github.com/caddy-chatkit/caddy-chatkit/provider"
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

	client provider.Client
}

// Limits and default of a session's lifetime. The API has no maximum; more than
// a year is likely a typo.
const (
	minTTL     = time.Second
	maxTTL     = 365 * 24 * time.Hour
	defaultTTL = 10 * time.Minute
)

func (s *Sendbird) lifetime() time.Duration { return cmp.Or(time.Duration(s.TTL), defaultTTL) }

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
	r := block.NewResolver()
	app, err := appID(r, s.AppID)
	if err != nil {
		return err
	}
	if s.APIToken == "" {
		return errors.New("api_token is missing")
	}
	token, err := r.Secret("api_token", s.APIToken)
	if err != nil {
		return err
	}
	base, err := s.baseURL(r, app)
	if err != nil {
		return err
	}
	upstream.WarnOfKey(ctx, "api_token", s.APIToken, base)
	if err := s.Load(ctx, base); err != nil {
		return err
	}
	header := http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {"application/json; charset=utf8"},
		"User-Agent":   {"caddy-chatkit"},
		"Api-Token":    {token.Reveal()},
	}
	s.client = provider.Client{URL: base.JoinPath("v3", "users"), Header: header, Transport: s.Calls(), KeyLimit: true}
	return nil
}

// baseURL returns the base address of the application's API.
func (s *Sendbird) baseURL(r block.Resolver, app string) (*url.URL, error) {
	if s.Host != "" {
		return hostURL(r, s.Host)
	}
	// Lower case, as browsers write the hosts they ask.
	return block.BaseURL("app_id", s.AppID, "https://api-"+strings.ToLower(app)+".sendbird.com", "api_token")
}

// Validate returns an error for an invalid life of a session.
func (s *Sendbird) Validate() error {
	if d := time.Duration(s.TTL); d != 0 && (d < minTTL || d > maxTTL) {
		return fmt.Errorf("ttl: %s is not between %s and %dd", d, minTTL, maxTTL/(24*time.Hour))
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
