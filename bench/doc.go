// Package bench measures performance. It has Go benchmarks of the handler;
// compare.sh compares session requests with Caddy's reverse_proxy, the command
// streams compares event streams, and the command soak reports whether memory,
// goroutines and descriptors stay flat under load. Nothing imports it.
package bench
