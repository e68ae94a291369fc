package session

import (
	"encoding/json"
	"net/http"
	"time"
)

// Request is one session request, stripped of everything that is HTTP about it.
type Request struct {
	// User identifies the end user. It is never empty, and comes from the body of
	// a request only where that is an app's with a Spec.
	User string

	// Model is the model the front end asked for, or "" for the default.
	Model string

	// Metadata is the JSON object the front end sent along, or nil.
	Metadata json.RawMessage

	// Current is the secret that is about to expire, on a refresh.
	Current Secret

	// Spec is the request as the caller wrote it in the shape of OpenAI's API,
	// where it came in that: a JSON object, whose user is User. No name in it
	// stands twice or differs in case only from one of the API's. Nil otherwise.
	Spec json.RawMessage

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

	// ID is what the provider calls the session, where it has a name for it
	// beside the secret.
	ID string

	// Resource is the provider's own answer in the shape of OpenAI's API, to a
	// request with a Spec. Nil where the provider does not speak that.
	Resource json.RawMessage

	// Extra are further fields of the answer to the front end, by name, that
	// the chat of this provider needs. They stand beside the documented fields
	// and never in place of one. A value may repeat the secret, so none prints.
	Extra map[string]Secret
}
