// Package sendbird is the provider for Sendbird's AI chat widget: it issues
// session tokens at the Platform API, POST /v3/users/{user_id}/token, and
// creates users there where it is told to.
//
// Sendbird answers nearly every error with HTTP 400 and a numeric code in the
// body. A failure here has the status that its code stands for, so that the
// classification table and fallback_on mean what they mean elsewhere.
//
// Sources: the guide to custom sessions of sendbird/chat-ai-widget, and the
// pages on session tokens, users, error codes and rate limits of Sendbird's
// Platform API v3.
//
// caddymodule builds it and nobody else imports it.
package sendbird
