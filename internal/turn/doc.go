// Package turn is the life of a turn on the chatkit route: one user message and
// the stream that answers it. [Turns] holds those of a process. A turn reads the
// backend's stream in whole frames, shows it to any number of clients from its
// first frame on, and always ends as the protocol has it: with the backend's own
// last frame, or with an error event.
//
// # Who reads
//
// A turn has no goroutine of its own as long as a client reads along. A client that
// has shown everything there is reads the next frames of the backend itself, for all
// the others too, so a turn with one client costs about what a copy costs. Nobody
// writes to a client while it holds the stream. A goroutine takes over when the last
// client is lost, or has not asked for more in a while; a client that was reading
// returns with the frame that comes next.
//
// # How a turn ends
//
// [End] lists the ways. A client is gone when its context is done; the transport
// says what it saw of that ([Leaving]). What then becomes of the turn is in
// [Options].
//
// The package does not depend on Caddy or HTTP. Only caddymodule imports it.
package turn
