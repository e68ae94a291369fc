package caddymodule

import (
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// UnmarshalCaddyfile sets up the provider from Caddyfile tokens. Syntax:
//
//	backend [<url>] {
//		url             <url>
//		key             <secret>
//		session_path    <path>
//		user_in         body|query|both
//		ignore_expiry
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
	err := b.options().parseBlock(d, "backend", nil)
	if err == nil && b.URL == "" {
		return at.Errf("backend: url is missing")
	}
	return err
}

// options are the lines of the block that are the module's own.
func (b *Backend) options() options {
	return options{
		"url":             {parse: b.parseURL},
		"key":             text(&b.Key).then(b.check),
		"session_path":    text(&b.SessionPath).then(b.check),
		"user_in":         text(&b.UserIn).then(b.check),
		"ignore_expiry":   flag(&b.IgnoreExpiry),
		"forward_headers": texts(&b.ForwardHeaders).then(b.check),
		"transport":       {parse: b.unmarshalTransport},
	}
}

// parseArguments parses what may stand behind the name of the module.
func (b *Backend) parseArguments(d *caddyfile.Dispenser) error {
	if !d.NextArg() {
		return nil
	}
	b.URL = d.Val()
	if err := literalURL("url", b.URL); err != nil {
		return located(d, err)
	}
	return noArgs(d, "provider backend <url>")
}

func (b *Backend) parseURL(d *caddyfile.Dispenser) error {
	if b.URL != "" {
		return d.Errf("url is given twice: behind the provider and here")
	}
	return text(&b.URL).then(func() error { return literalURL("url", b.URL) }).parse(d)
}

// UnmarshalCaddyfile sets up the provider from Caddyfile tokens. Syntax:
//
//	openai {
//		key           <secret>
//		workflow      [<model>] <id>
//		state_variables metadata
//		version       <version>
//		base_url      <url>
//		organization  <id>
//		project       <id>
//		expires_after <duration>
//		rate_limit    <n>
//		file_upload
//		transport     <protocol> {
//			...
//		}
//	}
func (o *OpenAI) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the module
	at := *d
	if d.NextArg() { // not shown: it may well be the key
		return d.Errf("openai takes no argument; the key goes into its block")
	}
	err := o.options().parseBlock(d, "openai", nil)
	if err != nil {
		return err
	}
	switch {
	case o.Key == "":
		return at.Errf("openai: key is missing")
	case o.Workflow == "":
		return at.Errf("openai: workflow is missing")
	}
	return nil
}

// options are the lines of the block that are the module's own.
func (o *OpenAI) options() options {
	return options{
		"key":             text(&o.Key),
		"workflow":        {parse: o.parseWorkflow, many: true},
		"state_variables": text(&o.StateVariables).then(o.check),
		"version":         text(&o.Version).then(o.checkVersion),
		"base_url":        text(&o.BaseURL).then(func() error { return literalURL("base_url", o.BaseURL) }),
		"organization":    text(&o.Organization),
		"project":         text(&o.Project),
		"expires_after":   duration(&o.ExpiresAfter).then(o.check),
		"rate_limit":      wholeNumber(&o.RateLimit, 1),
		"file_upload":     flag(&o.FileUpload),
		"transport":       {parse: o.unmarshalTransport},
	}
}

func (o *OpenAI) checkVersion() error {
	if o.Version == "latest" {
		return errLatest
	}
	return nil
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

// literalURL checks an address that has no placeholder while the line is still
// known; one that has is checked when the configuration is loaded.
func literalURL(field, value string) error {
	if strings.Contains(value, "{") {
		return nil
	}
	_, err := newResolver().url(field, value)
	return err
}

// Interface guards.
var (
	_ caddyfile.Unmarshaler = (*Backend)(nil)
	_ caddyfile.Unmarshaler = (*OpenAI)(nil)
)
