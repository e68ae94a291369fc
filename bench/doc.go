// Package bench measures performance. It has Go benchmarks of the handler;
// compare.sh compares session requests with Caddy's reverse_proxy, and the
// command streams compares event streams and turns. Nothing imports it.
package bench
