package backend

import (
	"net/url"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

// UnmarshalCaddyfile sets up the provider from Caddyfile tokens. Syntax:
//
//	backend [<url>] {
//		url             <url>
//		key             <secret>
//		session_path    <path>
//		user_in         body|query|both
//		ignore_expiry
//		cancel          on|off
//		forward_headers <header>...
//		transport       <protocol> {
//			...
//		}
//	}
func (b *Backend) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the module
	at := *d
	if err := b.parseArguments(d); err != nil {
		return err
	}
	err := b.Options().Parse(d, "backend", nil)
	if err == nil && b.URL == "" {
		return at.Errf("backend: url is missing")
	}
	return err
}

// Options are the lines of the block that belong to the module.
func (b *Backend) Options() block.Options {
	return block.Options{
		"url":             {Parse: b.parseURL},
		"key":             block.Text(&b.Key).Then(b.Validate),
		"session_path":    block.Text(&b.SessionPath).Then(b.checkSessionPath),
		"user_in":         block.Text(&b.UserIn).Then(b.Validate),
		"ignore_expiry":   block.Flag(&b.IgnoreExpiry),
		"cancel":          block.Switch(&b.Cancel),
		"forward_headers": block.Texts(&b.ForwardHeaders).Then(b.Validate),
		"transport":       b.Option(),
	}
}

// parseArguments parses what may follow the name of the module.
func (b *Backend) parseArguments(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 0, 1, "provider backend [<url>]")
	if err != nil || len(args) == 0 {
		return err
	}
	b.URL = args[0]
	return block.Located(d, b.checkURL())
}

func (b *Backend) parseURL(d *caddyfile.Dispenser) error {
	if b.URL != "" {
		return d.Errf("url is given twice, after the provider and here")
	}
	return block.Text(&b.URL).Then(b.checkURL).Parse(d)
}

func (b *Backend) checkSessionPath() error { return block.Literally(b.SessionPath, b.sessionPath) }

// checkURL checks an address without placeholders while its line is still known.
func (b *Backend) checkURL() error {
	return block.Literally(b.URL, func(r block.Resolver) (*url.URL, error) { return r.URL("url", b.URL, "key") })
}
