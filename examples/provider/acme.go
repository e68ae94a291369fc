// Package acme is a chatkit provider for the imaginary service Acme Chat. It is an
// example: its own Go module, written only against chatkit's public packages.
package acme

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/upstream"
	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func init() { caddy.RegisterModule(new(Acme)) }

// Acme creates sessions at Acme Chat, and carries their chat to it.
type Acme struct {
	// The base address of the API. Required. Placeholders such as `{env.*}` work.
	URL string `json:"url,omitempty"`

	// The API key. Use `{env.*}` or `{file.*}`: a key written here in full can
	// be read in /config/. Default: none is sent.
	Key string `json:"key,omitempty"`

	upstream.Transport

	base   *url.URL
	client provider.Client
}

// CaddyModule returns the Caddy module information.
func (*Acme) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.chatkit.providers.acme",
		New: func() caddy.Module { return new(Acme) },
	}
}

// Provision replaces the placeholders and loads the transport.
func (a *Acme) Provision(ctx caddy.Context) (err error) {
	r := block.NewResolver()
	if a.base, err = r.URL("url", a.URL, "key"); err != nil {
		return err
	}
	key, err := r.Secret("key", a.Key)
	if err != nil {
		return err
	}
	if err := a.Load(ctx, a.base); err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if key != "" {
		header.Set("Authorization", "Bearer "+key.Reveal())
	}
	a.client = provider.Client{URL: a.base.JoinPath("sessions"), Header: header, Transport: a.RoundTripper()}
	return nil
}

// Create implements [session.Provider].
func (a *Acme) Create(ctx context.Context, req *session.Request) (s session.Session, err error) {
	body, err := json.Marshal(map[string]string{"user": req.User, "model": req.Model})
	if err != nil {
		return s, err
	}
	call := provider.Call{ID: req.ID, Body: body, Explain: explain}
	err = a.client.Post(ctx, &call, func(body []byte) error {
		var answer struct {
			Token   string          `json:"token"`
			Expires json.RawMessage `json:"expires"`
		}
		err := provider.Decode(body, &answer)
		s.Secret, s.ExpiresAt = session.Secret(answer.Token), session.ParseExpiry(answer.Expires)
		return err
	})
	return s, err
}

// explain reads what Acme says in the body of an error: 403 is the caller's fault
// as a rule, but not where our own account is suspended.
func explain(f *session.Failure, body []byte, _ error) {
	var answer struct {
		Code string `json:"code"`
	}
	if provider.Decode(body, &answer) == nil && answer.Code == "account_suspended" {
		f.Reason = session.Misconfigured
	}
}

// Carry implements [session.Carrier]: streams, messages and WebSockets go to Acme.
func (a *Acme) Carry() session.Upstream {
	return session.Upstream{URL: a.base, Transport: a.RoundTripper()}
}

// UnmarshalCaddyfile sets up the provider from Caddyfile tokens. Syntax:
//
//	acme {
//		url       <url>
//		key       <secret>
//		transport <protocol> {
//			...
//		}
//	}
func (a *Acme) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the module
	if err := block.NoArgs(d, "provider acme"); err != nil {
		return err
	}
	return block.Options{
		"url":       block.Text(&a.URL),
		"key":       block.Text(&a.Key),
		"transport": a.Option(),
	}.Parse(d, "acme", nil)
}

// Interface guards.
var (
	_ caddy.Provisioner     = (*Acme)(nil)
	_ caddyfile.Unmarshaler = (*Acme)(nil)
	_ session.Provider      = (*Acme)(nil)
	_ session.Carrier       = (*Acme)(nil)
)
