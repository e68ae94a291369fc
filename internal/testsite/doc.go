// Package testsite runs the product for tests: [Site] is the real Caddy in this
// process, with a real listener and admin API, in front of the sandbox's
// stand-ins; [Process] is the built binary, or another server, as a child
// process. Around them are requests and answers, raw connections, metrics,
// logs and free addresses.
//
// Only tests import it. It may import Caddy, which the other packages below
// internal may not. Caddy runs once per process, so the tests of a package that
// use a Site must not run in parallel.
package testsite
