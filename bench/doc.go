// Package bench measures performance. It has Go benchmarks of the handler;
// compare.sh compares session requests with Caddy's reverse_proxy and with the
// command bare, which does the least that an exchange takes, the command streams
// compares event streams and turns, the command hedge requests with and without
// hedging, and the command outage shows what a backend that hangs costs. Nothing
// imports it.
package bench
