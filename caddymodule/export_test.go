package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/guest"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/identity"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/origin"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/providers/backend"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/providers/openai"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/providers/sendbird"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/shared"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standins/openaichat"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standins/openairesponses"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standins/say"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/turns"
)

// Blocks returns the options of each block of the Caddyfile, for the tests that
// hold them all to the same rules.
func Blocks() map[string]block.Options {
	return map[string]block.Options{
		"chatkit":    new(Handler).options(new(providerRefs)),
		"provider":   new(guest.ProviderConfig).Options(),
		"breaker":    new(guest.BreakerConfig).Options(),
		"anonymous":  new(identity.AnonymousConfig).Options(),
		"cors":       new(origin.CORSConfig).Options(),
		"shared":     new(shared.FleetConfig).Options(),
		"openai_api": new(RouteConfig).options(),
		"turn":       new(turns.TurnConfig).Options(),
		"backend":    new(backend.Backend).Options(),
		"openai":     new(openai.OpenAI).Options(),
		"sendbird":   new(sendbird.Sendbird).Options(),

		"standin":          new(standby.StandInConfig).Options(),
		"say":              new(say.Say).Options(),
		"openai_chat":      new(openaichat.OpenAIChat).Options(),
		"openai_responses": new(openairesponses.OpenAIResponses).Options(),
	}
}

// Claimed returns the routes that a chatkit block claims, for the tests that ask
// every one of them.
func Claimed(text string) ([]RouteConfig, error) {
	h := new(Handler)
	if err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser("chatkit {" + text + "\n}")); err != nil {
		return nil, err
	}
	return effectiveRoutes(h.Routes, true), nil
}
