// Package backend is the provider for an app's own backend,
// http.handlers.chatkit.providers.backend. It requests a session with the JSON of
// the quick reference and translates the answer.
package backend

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/upstream"
	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func init() { caddy.RegisterModule(new(Backend)) }

// Backend is the provider for the app's own backend. It asks
// `POST {url}{session_path}` with `{"user_id", "model"?, "metadata"?}` and reads
// `session_id` or `client_secret`, `expires_at`, `model` and `metadata`.
//
// Placeholders that can be resolved at load time (`{env.*}`, `{file.*}`) work in
// url, key and session_path.
type Backend struct {
	// The base address of the backend. Required.
	URL string `json:"url,omitempty"`

	// The key sent as `Authorization: Bearer`. Use `{env.*}` or `{file.*}`: a
	// key written here in full can be read in /config/. Default: none is sent.
	Key string `json:"key,omitempty"`

	// The path of the session endpoint, with a query if it needs one. Default:
	// /api/sessions.
	SessionPath string `json:"session_path,omitempty"`

	// Where the user's id goes: "body", "query" (as user_id) or "both".
	// Default: body.
	UserIn string `json:"user_in,omitempty"`

	// Ignores the backend's expires_at: it is neither checked nor passed on. For
	// backends that send a meaningless time. Default: off, and an expired session
	// is a failure.
	IgnoreExpiry bool `json:"ignore_expiry,omitempty"`

	// Cancels sessions that the backend has made and that nobody got, with
	// `DELETE {session_path}/{session_id}`: those that lose to another provider's with
	// hedge, and those that come after their time limit, or when the client has left. A
	// call then goes on for up to 30s longer, and costs a goroutine. Default: off.
	Cancel bool `json:"cancel,omitempty"`

	// Names of the client's headers to pass on, for backends that check the
	// caller's own credentials. With it, a 401 or 403 is a refusal of
	// the caller and goes to no other provider. Default: none.
	ForwardHeaders []string `json:"forward_headers,omitempty"`

	upstream.Transport

	base    *url.URL
	client  provider.Client
	forward []string // canonical ForwardHeaders
}

// Values of user_in. FastAPI looks in the query for an argument that is not
// declared as a JSON model.
const (
	userInBody  = "body"
	userInQuery = "query"
	userInBoth  = "both"
)

// Carry implements [session.Carrier].
func (b *Backend) Carry() session.Upstream {
	return session.Upstream{URL: b.base, Transport: b.RoundTripper()}
}

// Hint implements [session.Hinter].
func (*Backend) Hint(v session.Verdict) string {
	switch v.Status {
	case http.StatusUnprocessableEntity:
		return "does it expect user_id in the query? then: user_in query"
	case http.StatusNotFound:
		return "url or session_path is wrong"
	}
	return ""
}

// CaddyModule returns the Caddy module information.
func (*Backend) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.chatkit.providers.backend",
		New: func() caddy.Module { return new(Backend) },
	}
}

// ownHeaders describe our request to the backend, its body or its connection. The
// client's would be wrong there.
var ownHeaders = []string{
	"Accept", "Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Expect", "Host",
	"Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "X-Request-Id",
}

const defaultSessionPath = "/api/sessions"

// Provision resolves the configuration.
func (b *Backend) Provision(ctx caddy.Context) error {
	r := block.NewResolver()
	base, err := r.URL("url", b.URL, "key")
	if err != nil {
		return err
	}
	key, err := r.Secret("key", b.Key)
	if err != nil {
		return err
	}
	path, err := b.sessionPath(r)
	if err != nil {
		return err
	}
	upstream.WarnOfKey(ctx, "key", b.Key, base)
	if err := b.Load(ctx, base); err != nil {
		return err
	}
	header := http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {"application/json"},
		"User-Agent":   {"caddy-chatkit"},
	}
	if key != "" {
		header["Authorization"] = []string{"Bearer " + key.Reveal()}
	}
	b.base, b.forward = base, block.Canonical(b.ForwardHeaders)
	endpoint := base.JoinPath(path.EscapedPath())
	endpoint.RawQuery = path.RawQuery
	b.client = provider.Client{URL: endpoint, Header: header, Transport: b.Calls()}
	return nil
}

func (b *Backend) sessionPath(r block.Resolver) (*url.URL, error) {
	return r.Path("session_path", cmp.Or(b.SessionPath, defaultSessionPath))
}

func (b *Backend) userIn() string { return cmp.Or(b.UserIn, userInBody) }

// ForwardedHeaders implements [session.HeaderForwarder].
func (b *Backend) ForwardedHeaders() []string { return b.forward }

// Validate returns an error for invalid or contradictory settings.
func (b *Backend) Validate() error {
	switch b.userIn() {
	case userInBody, userInQuery, userInBoth:
	default:
		return fmt.Errorf("invalid user_in %q (want body, query or both)", b.UserIn)
	}
	if err := block.HeaderNames("forward_headers", b.ForwardHeaders); err != nil {
		return err
	}
	for _, name := range block.Canonical(b.ForwardHeaders) {
		if slices.Contains(ownHeaders, name) {
			return fmt.Errorf("forward_headers: %s cannot be forwarded; the request to the backend has its own", name)
		}
	}
	if b.Key != "" && slices.Contains(block.Canonical(b.ForwardHeaders), "Authorization") {
		return errors.New("forward_headers: Authorization cannot be used together with key")
	}
	return nil
}

// Interface guards.
var (
	_ caddy.Validator       = (*Backend)(nil)
	_ caddy.Provisioner     = (*Backend)(nil)
	_ caddyfile.Unmarshaler = (*Backend)(nil)
	_ session.Provider      = (*Backend)(nil)
	_ session.Carrier       = (*Backend)(nil)
	_ session.HealthChecker = (*Backend)(nil)
	_ session.Hinter        = (*Backend)(nil)

	_ session.OrphanCanceler = (*Backend)(nil)
)
