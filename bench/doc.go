// Package bench measures performance. It has Go benchmarks of the handler;
// compare.sh compares session requests with Caddy's reverse_proxy, the
// command streams compares event streams, and the command hedge requests with and
// without hedging. Nothing imports it.
package bench
