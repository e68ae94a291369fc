package session

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// Provider creates sessions. A Caddy module in the namespace
// http.handlers.chatkit.providers implements it.
//
// Create must be safe for concurrent use and return soon after ctx is done. An
// error is best a [*Failure]; any other is taken for an error of the transport.
//
// A provider can have further abilities. Each is an interface of its own, and all
// of them are optional: [Carrier], [Canceler], [OrphanCanceler], [HealthChecker],
// [ModelLister], [ModelFinder], [MetadataChecker], [SpecChecker], [Recognizer],
// [WidgetMaker], [HeaderForwarder] and [Hinter].
type Provider interface {
	Create(ctx context.Context, req *Request) (Session, error)
}

// Carrier is a provider that also takes what comes after a session: streams,
// messages, WebSockets and the requests of ChatKit's protocol.
type Carrier interface {
	// Carry is asked once, when the configuration is loaded.
	Carry() Upstream
}

// Upstream is where a [Carrier] takes requests, and how.
type Upstream struct {
	// URL is the base address. The path of a route is added to its path.
	URL *url.URL

	// Transport makes the round trips, WebSocket upgrades included.
	Transport http.RoundTripper
}

// Canceler is a provider that can end a session before its time.
type Canceler interface {
	// Cancel ends the session with an id and returns the provider's answer as a
	// JSON object. A session that it does not know is a [Failure] with status
	// 404. requestID is sent along as X-Request-Id.
	Cancel(ctx context.Context, id, requestID string) (json.RawMessage, error)
}

// OrphanCanceler is a provider that can end a session that it has made and that nobody
// got: another provider was asked as well and answered first, or the answer came after
// its time limit or when the client had left. For the latter a call goes on after its
// time limit. A [Canceler] that is none ends only the former, by the session's ID.
type OrphanCanceler interface {
	// CancelsOrphans reports whether the configuration allows it. It is asked once, when
	// the configuration is loaded.
	CancelsOrphans() bool

	// CancelOrphan ends a session as Create has returned it. A session that the provider
	// does not know any more is a [Failure] with status 404 or 410, one that it has no
	// way to end an error that is [errors.ErrUnsupported].
	CancelOrphan(ctx context.Context, s *Session, requestID string) error
}

// HealthChecker is a provider that can be asked whether its service works, without
// making a session. Only such a provider can have the option health.
type HealthChecker interface {
	// CheckHealth asks at the path of the option, which may have a query, and returns
	// nil if the service says that it works. Any other answer is a [Failure] with its
	// status. It must return soon after ctx is done.
	CheckHealth(ctx context.Context, path *url.URL) error
}

// ModelLister is a provider that serves some models in a way of their own, such
// as with a workflow for each.
type ModelLister interface {
	// ModelNames returns the names of these models.
	ModelNames() []string
}

// ModelFinder is a provider that can read a model from [Request.Spec].
type ModelFinder interface {
	// ModelOf returns the model that a spec stands for, "" for none.
	ModelOf(spec json.RawMessage) string
}

// MetadataChecker is a provider that does not take every metadata.
type MetadataChecker interface {
	// CheckMetadata returns an error for metadata that the provider could not
	// take, in words for whoever writes the front end. The request is then
	// answered with 400, whoever would have served it: otherwise the mistake
	// would show in an outage only.
	CheckMetadata(metadata json.RawMessage) error
}

// SpecChecker is a provider that does not take every [Request.Spec].
type SpecChecker interface {
	// CheckSpec returns an error for a spec that asks for more than the provider's
	// configuration allows, in words for whoever writes the app, and the parameter
	// at fault, such as workflow.id. The provider is then not asked, and a request
	// that every such provider of the route refuses is answered with 400.
	CheckSpec(spec json.RawMessage) (param string, err error)
}

// Recognizer is a provider whose secrets can be told by their shape.
type Recognizer interface {
	// Recognizes reports whether a secret looks like one of this provider.
	Recognizes(secret Secret) bool
}

// WidgetMaker is a provider with a chat widget of its own, so that its sessions
// are of no use to ChatKit. It does not serve openai_api routes.
type WidgetMaker interface {
	// Widget returns the name of the widget.
	Widget() string
}

// HeaderForwarder is a provider that sends headers of the client's request on.
type HeaderForwarder interface {
	// ForwardedHeaders returns their canonical names.
	ForwardedHeaders() []string
}

// Hinter is a provider that knows what usually causes a failure.
type Hinter interface {
	// Hint returns a sentence for the log, "" for none.
	Hint(v Verdict) string
}
