// Package openaichat is the stand-in that asks a model by OpenAI's Chat Completions,
// which nearly every server of models speaks,
// http.handlers.chatkit.standins.openai_chat.
package openaichat

import (
	"context"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/endpoint"
	"github.com/caddy-chatkit/caddy-chatkit/internal/modelapi"
	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

func init() { caddy.RegisterModule(new(OpenAIChat)) }

// OpenAIChat is the stand-in that asks a model at `POST {url}/chat/completions`: that of
// OpenAI, or any server that speaks this API, such as Ollama, vLLM, llama.cpp or a
// gateway. The model gets the conversation and nothing else of the caller: no cookie, no
// header and no user.
//
// Placeholders that can be resolved at load time (`{env.*}`, `{file.*}`) work in
// url, key, model, instructions, title and notice.
type OpenAIChat struct {
	endpoint.Endpoint
}

// CaddyModule returns the Caddy module information.
func (*OpenAIChat) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.chatkit.standins.openai_chat",
		New: func() caddy.Module { return new(OpenAIChat) },
	}
}

// Provision resolves the configuration.
func (c *OpenAIChat) Provision(ctx caddy.Context) error {
	return c.Connect(ctx, "chat", "completions")
}

// UnmarshalCaddyfile sets up the stand-in from Caddyfile tokens, as
// [endpoint.Endpoint.Parse] says.
func (c *OpenAIChat) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return c.Parse(d, c.Options())
}

// Answer implements [standin.StandIn].
func (c *OpenAIChat) Answer(ctx context.Context, t *standin.Turn, w standin.Writer) error {
	messages, err := c.Messages(t)
	if err != nil {
		return err
	}
	told := modelapi.Message{Role: "system", Content: c.Told()}
	r := modelapi.ChatRequest{Model: c.ModelName(), Messages: append([]modelapi.Message{told}, messages...), Stream: true}
	if !c.Plain() {
		r.StreamOptions = &modelapi.StreamOptions{IncludeUsage: true}
	}
	if c.OpenAI() {
		r.MaxCompletionTokens, r.SafetyIdentifier, r.Store = c.Tokens(), t.Safety, new(bool)
	} else {
		r.MaxTokens = c.Tokens()
	}
	return c.Ask(ctx, r, w, modelapi.ReadChat)
}

// Interface guards.
var (
	_ caddy.Validator       = (*OpenAIChat)(nil)
	_ caddy.Provisioner     = (*OpenAIChat)(nil)
	_ caddyfile.Unmarshaler = (*OpenAIChat)(nil)
	_ standin.StandIn       = (*OpenAIChat)(nil)
	_ session.Hinter        = (*OpenAIChat)(nil)
)
