// Package bench measures the product: Go benchmarks of the handler here,
// compare.sh, which runs sessions against Caddy's own reverse_proxy in one
// process, and the command streams, which does so with event streams.
// Nothing imports it.
package bench
