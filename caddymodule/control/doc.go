// Package control is the command line for operators: chatkit-status and
// chatkit-breaker, which speak to a running Caddy through its admin API.
//
// A build imports it for its commands; nobody calls it. It knows of the product
// only what the admin API says, so that it works against another version too.
package control
