// Package openai is the provider for OpenAI's ChatKit sessions endpoint,
// POST /v1/chatkit/sessions of the API reference (beta chatkit_beta=v1).
//
// It is the only place of the pure ring that knows of workflows. OpenAI has
// announced the end of Agent Builder, where they live, for 2026-11-30.
//
// caddymodule builds it and nobody else imports it.
package openai
