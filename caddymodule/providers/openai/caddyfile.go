package openai

import (
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

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
//		cancel        on|off
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
	err := o.Options().Parse(d, "openai", nil)
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

// Options are the lines of the block that belong to the module.
func (o *OpenAI) Options() block.Options {
	return block.Options{
		"key":             block.Text(&o.Key),
		"workflow":        {Parse: o.parseWorkflow, Many: true},
		"state_variables": block.Text(&o.StateVariables).Then(o.Validate),
		"version":         block.Text(&o.Version).Then(o.Validate),
		"base_url":        block.Text(&o.BaseURL).Then(o.checkBaseURL),
		"organization":    block.Text(&o.Organization),
		"project":         block.Text(&o.Project),
		"expires_after":   block.Duration(&o.ExpiresAfter).Then(o.Validate),
		"rate_limit":      block.Number(&o.RateLimit, 1),
		"cancel":          block.Switch(&o.CancelLate),
		"file_upload":     block.Flag(&o.FileUpload),
		"transport":       o.Option(),
	}
}

func (o *OpenAI) parseWorkflow(d *caddyfile.Dispenser) error {
	args, err := block.Args(d, 1, 2, "workflow [<model>] <id>")
	if err != nil {
		return err
	}
	switch len(args) {
	case 1:
		if o.Workflow != "" {
			return d.Errf("workflow without a model is given twice")
		}
		o.Workflow = args[0]
	case 2:
		if strings.HasPrefix(args[0], "wf_") && !strings.HasPrefix(args[1], "wf_") {
			return d.Errf("workflow: %q looks like a workflow and %q like a model (want workflow [<model>] <id>)", args[0], args[1])
		}
		if _, twice := o.Models[args[0]]; twice {
			return d.Errf("workflow for model %q is given twice", args[0])
		}
		if o.Models == nil {
			o.Models = make(map[string]string)
		}
		o.Models[args[0]] = args[1]
	}
	return block.NoBlock(d, "workflow")
}

// checkBaseURL checks an address without placeholders while its line is still
// known.
func (o *OpenAI) checkBaseURL() error {
	return block.Literally(o.BaseURL, func(r block.Resolver) (*url.URL, error) { return r.URL("base_url", o.BaseURL, "key") })
}
