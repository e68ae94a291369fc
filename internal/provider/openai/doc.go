// Package openai is the provider for OpenAI's ChatKit sessions endpoint,
// POST /v1/chatkit/sessions of the API reference (beta chatkit_beta=v1).
//
// It is the only internal package that knows about workflows. OpenAI has
// announced that Agent Builder, where workflows live, shuts down on 2026-11-30.
//
// Only its module in caddymodule/providers imports it.
package openai
