// Package fleet lets the instances of the product know what one of them has
// learned: [Fleet] tells the others about breakers, asks for the one lease to
// probe, counts limits together, and looks up sessions and threads that this
// instance does not know.
//
// All of it is advisory. What is told is queued and sent in the background. What is
// asked has a short time limit, and is not asked at all while the store is away. A
// caller that gets no answer goes on with what it knows itself.
//
// The store is an [Engine]; redisstore has the one there is. Times on the way are
// durations, so that the clocks of the instances do not matter. The [Codec] hashes
// every name with a key and encrypts every content.
//
// The package is of the pure ring: no Caddy, no zap, no Prometheus, and nothing of
// any engine. caddymodule/shared connects it.
package fleet
