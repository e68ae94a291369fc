package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// UnmarshalCaddyfile sets up the provider from Caddyfile tokens. Syntax:
//
//	backend [<url>] {
//		url             <url>
//		key             <secret>
//		session_path    <path>
//		user_in         body|query|both
//		forward_headers <header>...
//		transport       <protocol> {
//			...
//		}
//	}
func (b *Backend) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the module
	at := *d
	if d.NextArg() {
		b.URL = d.Val()
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	byArgument := b.URL != ""
	err := options{
		"url": {parse: func(d *caddyfile.Dispenser) error {
			if byArgument {
				return d.Errf("url is given twice")
			}
			return text(&b.URL).parse(d)
		}},
		"key":             text(&b.Key),
		"session_path":    text(&b.SessionPath),
		"user_in":         text(&b.UserIn),
		"forward_headers": texts(&b.ForwardHeaders),
		"transport":       {parse: b.unmarshalTransport},
	}.parseBlock(d, "backend", nil)
	if err != nil {
		return err
	}
	if b.URL == "" {
		return at.Errf("backend: url is missing")
	}
	if err := b.check(); err != nil {
		return at.Errf("backend: %w", err)
	}
	return literalURL(&at, "backend: url", b.URL)
}

// UnmarshalCaddyfile sets up the provider from Caddyfile tokens. Syntax:
//
//	openai {
//		key           <secret>
//		workflow      [<model>] <id>
//		version       <version>
//		base_url      <url>
//		organization  <id>
//		project       <id>
//		expires_after <duration>
//		rate_limit    <n>
//		transport     <protocol> {
//			...
//		}
//	}
func (o *OpenAI) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the module
	at := *d
	if d.NextArg() {
		return d.ArgErr()
	}
	err := options{
		"key":           text(&o.Key),
		"workflow":      {parse: o.parseWorkflow, many: true},
		"version":       text(&o.Version),
		"base_url":      text(&o.BaseURL),
		"organization":  text(&o.Organization),
		"project":       text(&o.Project),
		"expires_after": {parse: o.parseExpiresAfter},
		"rate_limit":    wholeNumber(&o.RateLimit, 1),
		"transport":     {parse: o.unmarshalTransport},
	}.parseBlock(d, "openai", nil)
	if err != nil {
		return err
	}
	switch {
	case o.Key == "":
		return at.Errf("openai: key is missing")
	case o.Workflow == "":
		return at.Errf("openai: workflow is missing")
	case o.Version == "latest":
		return at.Errf("openai: %w", errLatest)
	}
	return literalURL(&at, "openai: base_url", o.BaseURL)
}

func (o *OpenAI) parseWorkflow(d *caddyfile.Dispenser) error {
	switch args := d.RemainingArgs(); len(args) {
	case 1:
		if o.Workflow != "" {
			return d.Errf("workflow without a model is given twice")
		}
		o.Workflow = args[0]
	case 2:
		if _, twice := o.Models[args[0]]; twice {
			return d.Errf("workflow for model %q is given twice", args[0])
		}
		if o.Models == nil {
			o.Models = make(map[string]string)
		}
		o.Models[args[0]] = args[1]
	default:
		return d.Errf("workflow reads: workflow [<model>] <id>")
	}
	return noBlock(d, "workflow")
}

func (o *OpenAI) parseExpiresAfter(d *caddyfile.Dispenser) error {
	if err := duration(&o.ExpiresAfter).parse(d); err != nil {
		return err
	}
	return located(d, o.check())
}

// literalURL checks an address that has no placeholder while the line is still
// known; one that has is checked when the configuration is loaded.
func literalURL(d *caddyfile.Dispenser, field, value string) error {
	if value == "" || !literalSecret(value) {
		return nil
	}
	_, err := newResolver().url(field, value)
	return located(d, err)
}

// Interface guards.
var (
	_ caddyfile.Unmarshaler = (*Backend)(nil)
	_ caddyfile.Unmarshaler = (*OpenAI)(nil)
)
