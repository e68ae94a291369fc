// Package bench measures performance. It has Go benchmarks of the handler;
// compare.sh compares session requests with Caddy's reverse_proxy and with the
// command bare, which does the least that an exchange takes. The command streams
// compares event streams and turns, hedge requests with and without hedging, outage
// shows what a backend that hangs costs, and soak reports whether memory, goroutines
// and descriptors stay flat under load. Nothing imports it.
package bench
