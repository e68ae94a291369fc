package session

import (
	"encoding/json"
	"net/http"
	"time"
)

// Request is one session request, stripped of everything that is HTTP about it.
type Request struct {
	// User identifies the end user. It is never empty and never comes from
	// the body of the request.
	User string

	// Model is the model the front end asked for, or "" for the default.
	Model string

	// Metadata is the JSON object the front end sent along, or nil.
	Metadata json.RawMessage

	// Current is the secret that is about to expire, on a refresh.
	Current Secret

	// ID is the request id, sent upstream as X-Request-Id.
	ID string

	// Header holds the client's own headers. A provider passes on only those
	// its configuration names, and never changes the map.
	Header http.Header
}

// Session is a session a provider has created and that was found to be usable.
type Session struct {
	// Secret is what the front end authenticates its chat with.
	Secret Secret

	// ExpiresAt is the end of the session's life, or the zero time where the
	// provider did not say.
	ExpiresAt time.Time

	// Model is the model the provider chose, or "".
	Model string

	// Metadata is the JSON object the provider sent along, or nil.
	Metadata json.RawMessage
}
