package sendbird

import (
	"net/url"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
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
	if err := s.Options().Parse(d, "sendbird", nil); err != nil {
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

// Options are the lines of the block that belong to the module.
func (s *Sendbird) Options() block.Options {
	return block.Options{
		"app_id": block.Text(&s.AppID).Then(func() error {
			return block.Literally(s.AppID, func(r block.Resolver) (string, error) { return appID(r, s.AppID) })
		}),
		"api_token":    block.Text(&s.APIToken),
		"ttl":          block.Duration(&s.TTL).Then(s.Validate),
		"create_users": block.Flag(&s.CreateUsers),
		"host": block.Text(&s.Host).Then(func() error {
			return block.Literally(s.Host, func(r block.Resolver) (*url.URL, error) { return hostURL(r, s.Host) })
		}),
		"transport": s.Option(),
	}
}
