package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one way in which a simulator behaves. Its text is the name that
// [Server.Set] and [Control] uses in its path.
type Fault string

// Faults of the connection: they happen before or instead of an HTTP answer.
const (
	// None answers as the real service does.
	None Fault = "none"
	// Refuse closes the listener and resets open connections: connection refused.
	Refuse Fault = "refuse"
	// Reset reads the request and resets the connection before any answer byte.
	Reset Fault = "reset"
	// Hang never answers. The connection is reset when the fault is changed or
	// the server is closed, and closed when the client leaves.
	Hang Fault = "hang"
	// Slow answers correctly, but only after Options.SlowBy.
	Slow Fault = "slow"
	// Cut sends 200, a Content-Length and half the body, then closes.
	Cut Fault = "cut"
	// CutChunked sends 200 and half the body in a chunk, then closes without
	// the final chunk.
	CutChunked Fault = "cut-chunked"
	// Garbage answers with bytes that are not HTTP, then closes.
	Garbage Fault = "garbage"
)

// Faults of the status: an error (or a redirect) instead of a session, in the
// service's own format unless the comment says otherwise.
const (
	// Status500 is an internal error.
	Status500 Fault = "500"
	// Status501 is not implemented.
	Status501 Fault = "501"
	// Status503 has a plain text body, like a load balancer's.
	Status503 Fault = "503"
	// Status503Chunked is Status503 with a chunked body, flushed after each piece.
	Status503Chunked Fault = "503-chunked"
	// Status503Retry is Status503 with "Retry-After: 1".
	Status503Retry Fault = "503-retry"
	// Status429 has "Retry-After: 1".
	Status429 Fault = "429"
	// Status429Bare has no Retry-After.
	Status429Bare Fault = "429-bare"
	// Status425 is too early.
	Status425 Fault = "425"
	// Status422 is FastAPI's validation error on the backend.
	Status422 Fault = "422"
	// Status409 is a conflict.
	Status409 Fault = "409"
	// Status408 is a request timeout.
	Status408 Fault = "408"
	// Status405 is method not allowed, with Allow.
	Status405 Fault = "405"
	// Status404 means an unknown workflow on the simulated OpenAI API.
	Status404 Fault = "404"
	// Status403 refuses the caller.
	Status403 Fault = "403"
	// Status401 is a bad key.
	Status401 Fault = "401"
	// Status400 is a bad request.
	Status400 Fault = "400"
	// Status301 sends the caller to a host that can never resolve (.invalid,
	// RFC 2606): a client that follows it fails visibly.
	Status301 Fault = "301"
)

// Faults of the body: 200, but without a usable session.
const (
	// HTML is a login page, text/html.
	HTML Fault = "html"
	// Null is JSON null.
	Null Fault = "null"
	// Empty is an empty JSON object.
	Empty Fault = "empty"
	// NoBody is zero bytes labelled as JSON.
	NoBody Fault = "nobody"
	// EmptySecret is a session whose secret is "".
	EmptySecret Fault = "empty-secret"
	// Numeric is a session whose secret is a JSON number.
	Numeric Fault = "numeric"
	// Expired is a session that ended an hour ago.
	Expired Fault = "expired"
	// ControlChars is a session with control characters in its secret.
	ControlChars Fault = "control"
	// LongSecret is a session with a secret of 9 KiB.
	LongSecret Fault = "long-secret"
	// Huge is a valid session followed, in the same object, by 8 MiB of padding.
	Huge Fault = "huge"
	// Nested is 20,000 opening brackets and as many closing brackets.
	Nested Fault = "nested"
)

// known lists every fault in the order of Faults.
var known = []Fault{
	None, Refuse, Reset, Hang, Slow, Cut, CutChunked,
	Status500, Status503, Status503Chunked, Status429, Status429Bare, Status503Retry,
	Status408, Status425, Status501, Status405, Status404, Status403, Status401,
	Status400, Status409, Status422, Status301,
	HTML, Null, Empty, NoBody, EmptySecret, Numeric, Expired, ControlChars,
	LongSecret, Huge, Nested, Garbage,
}

// Faults returns every fault, None first, always in the same order. The caller
// may modify the slice.
func Faults() []Fault { return slices.Clone(known) }

// parseFault returns the fault named s. The error for an unknown name lists all
// known faults.
func parseFault(s string) (Fault, error) {
	if f := Fault(s); slices.Contains(known, f) {
		return f, nil
	}
	return "", fmt.Errorf("unknown fault %q (known: %s)", s, join(known))
}

// join joins names for display.
func join[T ~string](names []T) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = string(n)
	}
	return strings.Join(words, ", ")
}
