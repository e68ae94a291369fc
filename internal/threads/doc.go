// Package threads keeps the threads that stand-ins have spoken in: their own, and
// what is remembered of those of backends. [Store] is what a shared store has to do;
// [Memory] is the one of this process.
//
// A thread belongs to one caller. Every method names the caller, and none returns
// anything of another.
//
// It knows the shape of items (package chatkit) and neither Caddy nor HTTP. Package
// outage, handback and caddymodule import it.
package threads
