package caddymodule

import (
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// UnmarshalCaddyfile sets up the provider from Caddyfile tokens. Syntax:
//
//	sendbird {
//		app_id       <id>
//		api_token    <secret>
//		ttl          <duration>
//		create_users
//		host         <host>|<url>
//		transport    <protocol> {
//			...
//		}
//	}
func (s *Sendbird) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the module
	at := *d
	if d.NextArg() { // not shown: it may well be the token
		return d.Errf("sendbird takes no argument; app_id and api_token go into its block")
	}
	if err := s.options().parseBlock(d, "sendbird", nil); err != nil {
		return err
	}
	switch {
	case s.AppID == "":
		return at.Errf("sendbird: app_id is missing")
	case s.APIToken == "":
		return at.Errf("sendbird: api_token is missing")
	}
	return nil
}

// options are the lines of the block that are the module's own.
func (s *Sendbird) options() options {
	return options{
		"app_id":       text(&s.AppID).then(func() error { return literally(s.AppID, resolver.appID) }),
		"api_token":    text(&s.APIToken),
		"ttl":          duration(&s.TTL).then(s.checkTTL),
		"create_users": flag(&s.CreateUsers),
		"host":         text(&s.Host).then(func() error { return literally(s.Host, resolver.host) }),
		"transport":    {parse: s.unmarshalTransport},
	}
}

// literally checks a value that has no placeholder while the line is still
// known; one that has is checked when the configuration is loaded.
func literally[T any](value string, resolve func(resolver, string) (T, error)) error {
	if strings.Contains(value, "{") {
		return nil
	}
	_, err := resolve(newResolver(), value)
	return err
}

// Interface guards.
var _ caddyfile.Unmarshaler = (*Sendbird)(nil)
