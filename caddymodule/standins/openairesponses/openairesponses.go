// Package openairesponses is the stand-in that asks a model by OpenAI's Responses API,
// http.handlers.chatkit.standins.openai_responses. Each request holds the whole
// conversation, and nothing is stored.
package openairesponses

import (
	"context"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/endpoint"
	"github.com/caddy-chatkit/caddy-chatkit/internal/modelapi"
	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

func init() { caddy.RegisterModule(new(OpenAIResponses)) }

// OpenAIResponses is the stand-in that asks a model at `POST {url}/responses`: that of
// OpenAI, or a server that speaks this API. Each request holds the whole conversation,
// with `store: false`: the server need not remember anything, and should not. The model
// gets nothing else of the caller: no cookie, no header and no user.
//
// Placeholders that can be resolved at load time (`{env.*}`, `{file.*}`) work in
// url, key, model, instructions, title and notice.
type OpenAIResponses struct {
	endpoint.Endpoint
}

// minTokens is the least that the API takes.
const minTokens = 16

// CaddyModule returns the Caddy module information.
func (*OpenAIResponses) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.chatkit.standins.openai_responses",
		New: func() caddy.Module { return new(OpenAIResponses) },
	}
}

// Provision resolves the configuration.
func (c *OpenAIResponses) Provision(ctx caddy.Context) error {
	return c.Connect(ctx, "responses")
}

// Validate returns an error for invalid settings.
func (c *OpenAIResponses) Validate() error {
	if c.MaxTokens > 0 && c.MaxTokens < minTokens {
		return fmt.Errorf("max_tokens: %d is too low (minimum %d)", c.MaxTokens, minTokens)
	}
	return c.Endpoint.Validate()
}

// UnmarshalCaddyfile sets up the stand-in from Caddyfile tokens, as
// [endpoint.Endpoint.Parse] says.
func (c *OpenAIResponses) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return c.Parse(d, c.Options())
}

// Options are the lines of the block that belong to the module.
func (c *OpenAIResponses) Options() block.Options {
	options := c.Endpoint.Options()
	options["max_tokens"] = block.Number(&c.MaxTokens, minTokens)
	return options
}

// Answer implements [standin.StandIn].
func (c *OpenAIResponses) Answer(ctx context.Context, t *standin.Turn, w standin.Writer) error {
	messages, err := c.Messages(t)
	if err != nil {
		return err
	}
	r := modelapi.ResponsesRequest{
		Model: c.ModelName(), Instructions: c.Told(), Input: modelapi.Input(messages), Stream: true, MaxOutputTokens: c.Tokens(),
	}
	if c.OpenAI() { // padding that hides the length of words is of no use to who has them
		r.StreamOptions, r.SafetyIdentifier = &modelapi.StreamOptions{IncludeObfuscation: new(bool)}, t.Safety
	}
	return c.Ask(ctx, r, w, modelapi.ReadResponses)
}

// Interface guards.
var (
	_ caddy.Validator       = (*OpenAIResponses)(nil)
	_ caddy.Provisioner     = (*OpenAIResponses)(nil)
	_ caddyfile.Unmarshaler = (*OpenAIResponses)(nil)
	_ standin.StandIn       = (*OpenAIResponses)(nil)
	_ session.Hinter        = (*OpenAIResponses)(nil)
)
