package caddymodule

import (
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/provider/openai"
)

func init() { caddy.RegisterModule(new(OpenAI)) }

// OpenAI is the provider for OpenAI's ChatKit sessions endpoint,
// `POST {base_url}/chatkit/sessions`.
//
// It needs a workflow of Agent Builder, which OpenAI has announced to shut down
// on 2026-11-30. A workflow that is gone shows as reason `misconfigured`.
//
// Placeholders that can be resolved at load time (`{env.*}`, `{file.*}`) work in
// every string.
type OpenAI struct {
	// The API key. Required. Use `{env.*}` or `{file.*}`: a key written here
	// in full can be read in /config/.
	Key string `json:"key,omitempty"`

	// The id of the workflow behind the chat. Required.
	Workflow string `json:"workflow,omitempty"`

	// Workflow ids for the models a front end may ask for. A model that is not
	// among them gets workflow.
	Models map[string]string `json:"models,omitempty"`

	// What becomes the state variables of the workflow: "metadata", the object
	// a front end may send. Its values must be strings, numbers or booleans, at
	// most 64; a request with others is refused before anybody is asked, so
	// that it does not fail in an outage only. Default: none.
	StateVariables string `json:"state_variables,omitempty"`

	// The version of the workflow. Default: the latest deployed. The word
	// "latest" is refused: OpenAI takes it, and then the chat does not start.
	Version string `json:"version,omitempty"`

	// The base address of the API. Default: https://api.openai.com/v1.
	BaseURL string `json:"base_url,omitempty"`

	// The OpenAI organization and project to bill. Default: those of the key.
	Organization string `json:"organization,omitempty"`
	Project      string `json:"project,omitempty"`

	// The life of a session, 1s to 10m in whole seconds. Default: OpenAI's, 10m.
	ExpiresAfter caddy.Duration `json:"expires_after,omitempty"`

	// Lets the chat take files. Default: OpenAI's, off. A front end that asks
	// for it in its body, as the starter app does, has no say in it.
	FileUpload bool `json:"file_upload,omitempty"`

	// How many requests a minute a session may make. Default: OpenAI's, 10.
	RateLimit int `json:"rate_limit,omitempty"`

	Upstream
	*openai.OpenAI `json:"-"`
}

// CaddyModule returns the Caddy module information.
func (*OpenAI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  ProviderNamespace + "." + moduleOpenAI,
		New: func() caddy.Module { return new(OpenAI) },
	}
}

// errLatest: chatkit-js issue 41.
var errLatest = errors.New(`version: "latest" breaks chats; leave it out for the latest deployed version`)

const defaultBaseURL = "https://api.openai.com/v1"

// Provision resolves the configuration.
func (o *OpenAI) Provision(ctx caddy.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	c, err := o.resolve(newResolver())
	if err != nil {
		return err
	}
	if literalSecret(o.Key) {
		ctx.Logger().Warn("key is written into the configuration; use {env.*} or {file.*}")
	}
	if err := o.provision(ctx); err != nil {
		return err
	}
	c.Transport = o.transport
	o.OpenAI = openai.New(c)
	return nil
}

// resolve replaces the placeholders.
func (o *OpenAI) resolve(r resolver) (c openai.Config, err error) {
	c.ExpiresAfter, c.RateLimit = time.Duration(o.ExpiresAfter), o.RateLimit
	c.FileUpload, c.StateVariables = o.FileUpload, o.StateVariables != ""
	base := o.BaseURL
	if base == "" {
		base = defaultBaseURL
	}
	if c.BaseURL, err = r.url("base_url", base); err != nil {
		return c, err
	}
	if o.Key == "" {
		return c, errors.New("key is missing")
	}
	if c.Key, err = r.secret("key", o.Key); err != nil {
		return c, err
	}
	if c.Workflow, err = r.required("workflow", o.Workflow); err != nil {
		return c, err
	}
	c.Models = make(map[string]string, len(o.Models))
	for model, id := range o.Models {
		if c.Models[model], err = r.required("workflow "+model, id); err != nil {
			return c, err
		}
	}
	for _, f := range []struct {
		name, value string
		out         *string
	}{
		{"version", o.Version, &c.Version},
		{"organization", o.Organization, &c.Organization},
		{"project", o.Project, &c.Project},
	} {
		if *f.out, err = r.optional(f.name, f.value); err != nil {
			return c, err
		}
	}
	if c.Version == "latest" {
		return c, errLatest
	}
	return c, nil
}

// check returns an error for what OpenAI would refuse.
func (o *OpenAI) check() error {
	d := time.Duration(o.ExpiresAfter)
	switch {
	case d < 0 || d > openai.MaxExpiresAfter:
		return fmt.Errorf("expires_after: %s is not between 1s and %s", d, openai.MaxExpiresAfter)
	case d%time.Second != 0:
		return fmt.Errorf("expires_after: %s is no whole number of seconds", d)
	case o.StateVariables != "" && o.StateVariables != "metadata":
		return fmt.Errorf("state_variables: %q is not metadata", o.StateVariables)
	case o.RateLimit < 0:
		return fmt.Errorf("rate_limit: %d is negative", o.RateLimit)
	}
	return nil
}

// Interface guards.
var (
	_ caddy.Provisioner = (*OpenAI)(nil)
	_ Provider          = (*OpenAI)(nil)
)
