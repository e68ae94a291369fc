package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/internal/provider/backend"
)

func init() { caddy.RegisterModule(new(Backend)) }

// Backend is the provider for the app's own backend. It asks
// `POST {url}{session_path}` with `{"user_id", "model"?, "metadata"?}` and reads
// `session_id` or `client_secret`, `expires_at`, `model` and `metadata`.
//
// Placeholders that can be resolved at load time (`{env.*}`, `{file.*}`) work in
// url and key.
type Backend struct {
	// The base address of the backend. Required.
	URL string `json:"url,omitempty"`

	// The key sent as `Authorization: Bearer`. Use `{env.*}` or `{file.*}`: a
	// key written here in full can be read in /config/. Default: none is sent.
	Key string `json:"key,omitempty"`

	// The path of the session endpoint. Default: /api/sessions.
	SessionPath string `json:"session_path,omitempty"`

	// Where the user's id goes: "body", "query" (as user_id) or "both".
	// Default: body.
	UserIn string `json:"user_in,omitempty"`

	// IgnoreExpiry takes no notice of the backend's expires_at: it is neither
	// checked nor passed on. For backends that answer a time that means
	// nothing. Default: off, and a session that has expired is none.
	IgnoreExpiry bool `json:"ignore_expiry,omitempty"`

	// Names of the client's headers to pass on, for backends that check the
	// caller's own credentials. A 401 or 403 to such a request is a refusal of
	// the caller and goes to no other provider. Default: none.
	ForwardHeaders []string `json:"forward_headers,omitempty"`

	Upstream
	*backend.Backend `json:"-"`

	base *url.URL
}

// carry tells where streams, messages and WebSockets go, by which transport,
// and which of the client's own headers with them.
func (b *Backend) carry() (base *url.URL, transport http.RoundTripper, forward []string) {
	return b.base, b.transport, canonical(b.ForwardHeaders)
}

// CaddyModule returns the Caddy module information.
func (*Backend) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  ProviderNamespace + ".backend",
		New: func() caddy.Module { return new(Backend) },
	}
}

// ownHeaders describe the request to the backend, its body or its connection: a
// client's would make them wrong.
var ownHeaders = []string{
	"Accept", "Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Expect", "Host",
	"Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "X-Request-Id",
}

const defaultSessionPath = "/api/sessions"

// Provision resolves the configuration.
func (b *Backend) Provision(ctx caddy.Context) error {
	r := newResolver()
	base, err := r.url("url", b.URL)
	if err != nil {
		return err
	}
	b.base = base
	key, err := r.secret("key", b.Key)
	if err != nil {
		return err
	}
	if literalSecret(b.Key) {
		ctx.Logger().Warn("key is written into the configuration; use {env.*} or {file.*}")
	}
	if err := b.check(); err != nil {
		return err
	}
	if err := b.provision(ctx); err != nil {
		return err
	}
	path := b.SessionPath
	if path == "" {
		path = defaultSessionPath
	}
	b.Backend = backend.New(backend.Config{
		URL: base.JoinPath(path), Key: key, UserIn: b.userIn(), IgnoreExpiry: b.IgnoreExpiry,
		Forward: b.ForwardHeaders, Transport: b.transport,
	})
	return nil
}

func (b *Backend) userIn() backend.UserIn {
	if b.UserIn == "" {
		return backend.UserInBody
	}
	return backend.UserIn(b.UserIn)
}

// check returns an error for what contradicts itself.
func (b *Backend) check() error {
	if b.SessionPath != "" && !strings.HasPrefix(b.SessionPath, "/") {
		return fmt.Errorf("session_path: %q does not begin with a slash", b.SessionPath)
	}
	switch b.userIn() {
	case backend.UserInBody, backend.UserInQuery, backend.UserInBoth:
	default:
		return fmt.Errorf("user_in: %q is none of body, query, both", b.UserIn)
	}
	if err := headerNames("forward_headers", b.ForwardHeaders); err != nil {
		return err
	}
	for _, name := range canonical(b.ForwardHeaders) {
		if slices.Contains(ownHeaders, name) {
			return fmt.Errorf("forward_headers: %s is of the request to the backend itself", name)
		}
	}
	if b.Key != "" && slices.Contains(canonical(b.ForwardHeaders), "Authorization") {
		return errors.New("forward_headers: Authorization and key exclude each other")
	}
	return nil
}

// Interface guards.
var (
	_ caddy.Provisioner = (*Backend)(nil)
	_ Provider          = (*Backend)(nil)
)
