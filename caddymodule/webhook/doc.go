// Package webhook is a handler for Caddy's events that posts them to a URL, for
// instance to tell a chat channel or a pager about breakers and fallbacks. It
// accepts any event, not only those of chatkit.
//
// Import it for its module.
package webhook
