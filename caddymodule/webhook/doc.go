// Package webhook is a handler for Caddy's events that posts them to an address:
// what a chat channel or a pager has to know of breakers and fallbacks. It takes
// any event, not only the product's.
//
// A build imports it for its module; nobody calls it.
package webhook
