// Package sendbird is the provider for Sendbird's AI chat widget: it issues
// session tokens through the Platform API, POST /v3/users/{user_id}/token, and
// creates users there if configured to.
//
// Sendbird answers nearly every error with HTTP 400 and a numeric code in the
// body. A failure of this package has the status that its code stands for, so
// that classification and fallback_on work as for other providers.
//
// Sources: the guide to custom sessions of sendbird/chat-ai-widget, and the
// pages on session tokens, users, error codes and rate limits of Sendbird's
// Platform API v3.
//
// Only its module in caddymodule/providers imports it.
package sendbird
