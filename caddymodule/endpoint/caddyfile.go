package endpoint

import (
	"net/url"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

// Parse sets up the endpoint from the Caddyfile tokens of a stand-in. Syntax:
//
//	<module> [<url>] {
//		url          <url>
//		key          <secret>
//		model        <name>
//		instructions <text>
//		max_tokens   <n>
//		history      <size>
//		dialect      openai|compatible|plain
//		title        <text>
//		notice       <markdown>
//		transport    <protocol> {
//			...
//		}
//	}
func (e *Endpoint) Parse(d *caddyfile.Dispenser, options block.Options) error {
	d.Next() // the name of the module
	at, module := *d, d.Val()
	args, err := block.Args(d, 0, 1, "standin "+module+" [<url>]")
	if err != nil {
		return err
	}
	if len(args) == 1 {
		e.URL = args[0]
		if err := block.Located(d, e.checkURL()); err != nil {
			return err
		}
	}
	if err := options.Parse(d, module, nil); err != nil {
		return err
	}
	switch {
	case e.URL == "":
		return at.Errf("%s: url is missing", module)
	case e.Name == "":
		return at.Errf("%s: model is missing", module)
	}
	return nil
}

// Options are the lines of the block that belong to the module.
func (e *Endpoint) Options() block.Options {
	return block.Options{
		"url":          {Parse: e.parseURL},
		"key":          block.Text(&e.Key),
		"model":        block.Text(&e.Name),
		"instructions": block.Text(&e.Instructions),
		"max_tokens":   block.Number(&e.MaxTokens, 1),
		"history":      block.Size(&e.History, "16MiB").Then(e.Validate),
		"dialect":      block.Text(&e.Dialect).Then(e.Validate),
		"title":        block.Text(&e.Title),
		"notice":       block.Text(&e.Words),
		"transport":    e.Option(),
	}
}

func (e *Endpoint) parseURL(d *caddyfile.Dispenser) error {
	if e.URL != "" {
		return d.Errf("url is given twice, after the stand-in and here")
	}
	return block.Text(&e.URL).Then(e.checkURL).Parse(d)
}

// checkURL checks an address without placeholders while its line is still known.
func (e *Endpoint) checkURL() error {
	return block.Literally(e.URL, func(r block.Resolver) (*url.URL, error) { return r.URL("url", e.URL, "key") })
}
