// Package control has the commands for operators: chatkit-status, chatkit-breaker
// and chatkit-health, which talk to a running Caddy through its admin API, and
// chatkit-drill, which asks a site as its front ends do.
//
// Import it for its commands; it exports nothing. It knows only the admin API,
// so that it also works with other versions of the module. status.go and watch.go
// show what api.go has asked for, in the form of table.go; page.go serves the
// status page; breaker.go forces, health.go asks the probes, drill.go tries the
// fallback.
package control
