// Package bench measures the product: Go benchmarks of the handler here, and
// compare.sh, which runs it against Caddy's own reverse_proxy in one process.
// Nothing imports it.
package bench
