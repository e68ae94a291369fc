// Package control has the commands for operators, chatkit-status and
// chatkit-breaker, which talk to a running Caddy through its admin API.
//
// Import it for its commands; it exports nothing. It knows only the admin API,
// so that it also works with other versions of the module.
package control
