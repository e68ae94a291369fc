// Package standin has the vocabulary of stand-ins: what answers a turn on the chatkit
// route when no backend can. A Caddy module in the namespace
// http.handlers.chatkit.standins implements [StandIn].
//
// It imports the standard library only, and everybody may import it, third parties
// too.
package standin
