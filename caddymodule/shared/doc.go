// Package shared connects an instance to the fleet that it belongs to: the `shared`
// option with its checks, the connections in use, and what goes over them. Sessions
// and threads that other instances know are looked up by [Sessions] and [Threads],
// limits are counted by [Link.Take]; what breakers know is the registry's.
//
// The handler, registry and limit import it. It stands on block, telemetry and
// the pure packages, of which redisstore is imported here only.
package shared
