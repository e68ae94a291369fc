// Package openai is the provider for OpenAI's ChatKit sessions endpoint,
// http.handlers.chatkit.providers.openai. The endpoint is POST
// /v1/chatkit/sessions of the API reference (beta chatkit_beta=v1).
//
// It is the only package that knows about workflows. OpenAI has announced that
// Agent Builder, where workflows live, shuts down on 2026-11-30.
package openai

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/upstream"
	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func init() { caddy.RegisterModule(new(OpenAI)) }

// OpenAI is the provider for OpenAI's ChatKit sessions endpoint,
// `POST {base_url}/chatkit/sessions`.
//
// It needs a workflow of Agent Builder, which OpenAI has announced to shut down
// on 2026-11-30. A workflow that is gone shows as reason `misconfigured`.
//
// Placeholders that can be resolved at load time (`{env.*}`, `{file.*}`) work in
// every string.
type OpenAI struct {
	// The API key. Required. Use `{env.*}` or `{file.*}`: a key written here
	// in full can be read in /config/.
	Key string `json:"key,omitempty"`

	// The id of the workflow behind the chat. Required. A request on an openai_api
	// route may name it and those of models, and no other.
	Workflow string `json:"workflow,omitempty"`

	// Workflow ids for the models a front end may ask for. A model that is not
	// among them gets workflow.
	Models map[string]string `json:"models,omitempty"`

	// What becomes the state variables of the workflow: "metadata", the object
	// that a front end may send. It may hold at most 64 values, all strings,
	// numbers or booleans. A request with others gets 400 before any provider is
	// asked, so that the mistake does not show in an outage only. Default: none.
	StateVariables string `json:"state_variables,omitempty"`

	// The version of the workflow, the only one that a request on an openai_api
	// route may name. Default: the latest deployed. The word
	// "latest" is refused: OpenAI takes it, and then the chat does not start.
	Version string `json:"version,omitempty"`

	// The base address of the API. Default: https://api.openai.com/v1.
	BaseURL string `json:"base_url,omitempty"`

	// The OpenAI organization to bill. Default: that of the key.
	Organization string `json:"organization,omitempty"`

	// The OpenAI project to bill. Default: that of the key.
	Project string `json:"project,omitempty"`

	// The life of a session, 1s to 10m in whole seconds. A request on an openai_api
	// route may ask for less. Default: OpenAI's, 10m.
	ExpiresAfter caddy.Duration `json:"expires_after,omitempty"`

	// Cancels also sessions that come after their time limit, or when the client has
	// left. A call then goes on for up to 30s longer, and costs a goroutine. Sessions
	// that lose to another provider's with hedge are always canceled. Default: off.
	CancelLate bool `json:"cancel,omitempty"`

	// Lets the chat take files. Default: OpenAI's, off. What a front end says
	// about it in its body is ignored.
	FileUpload bool `json:"file_upload,omitempty"`

	// How many requests a minute a session may make. A request on an openai_api
	// route may ask for less. Default: OpenAI's, 10; an app may ask for any number.
	RateLimit int `json:"rate_limit,omitempty"`

	upstream.Transport

	client    provider.Client
	template  body              // of every request
	workflows map[string]string // resolved Models
}

// Recognizes implements [session.Recognizer].
func (*OpenAI) Recognizes(secret session.Secret) bool {
	return strings.HasPrefix(secret.Reveal(), "ek_")
}

// Hint implements [session.Hinter].
func (*OpenAI) Hint(v session.Verdict) string {
	if v.Status == http.StatusNotFound {
		return "the workflow is retired, or belongs to another project than the key"
	}
	return ""
}

// CaddyModule returns the Caddy module information.
func (*OpenAI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.chatkit.providers.openai",
		New: func() caddy.Module { return new(OpenAI) },
	}
}

// latest is a version that OpenAI takes and that breaks chats: chatkit-js issue 41.
const latest = "latest"

var errLatest = errors.New(`version: "latest" breaks chats; leave it out for the latest deployed version`)

const defaultBaseURL = "https://api.openai.com/v1"

// maxExpiresAfter is the maximum lifetime of a session, from the API's schema.
const maxExpiresAfter = 600 * time.Second

// Provision resolves the configuration.
func (o *OpenAI) Provision(ctx caddy.Context) error {
	r := block.NewResolver()
	base, err := r.URL("base_url", cmp.Or(o.BaseURL, defaultBaseURL), "key")
	if err != nil {
		return err
	}
	if base.Path == "/" {
		ctx.Logger().Warn("base_url has no path; OpenAI's API, and what speaks it, is usually below /v1", zap.String("base_url", o.BaseURL))
	}
	header, err := o.header(r)
	if err != nil {
		return err
	}
	if err := o.compile(r); err != nil {
		return err
	}
	upstream.WarnOfKey(ctx, "key", o.Key, base)
	if err := o.Load(ctx, base); err != nil {
		return err
	}
	o.client = provider.Client{URL: base.JoinPath("chatkit", "sessions"), Header: header, Transport: o.Calls(), KeyLimit: true}
	return nil
}

// header returns the header of every request.
func (o *OpenAI) header(r block.Resolver) (http.Header, error) {
	if o.Key == "" {
		return nil, errors.New("key is missing")
	}
	key, err := r.Secret("key", o.Key)
	if err != nil {
		return nil, err
	}
	h := http.Header{
		"Accept":        {"application/json"},
		"Content-Type":  {"application/json"},
		"User-Agent":    {"caddy-chatkit"},
		"Openai-Beta":   {"chatkit_beta=v1"},
		"Authorization": {"Bearer " + key.Reveal()},
	}
	for _, f := range []struct{ field, value, name string }{
		{"organization", o.Organization, "Openai-Organization"},
		{"project", o.Project, "Openai-Project"},
	} {
		value, err := r.Optional(f.field, f.value)
		if err != nil {
			return nil, err
		}
		if value != "" {
			h[f.name] = []string{value}
		}
	}
	return h, nil
}

// compile resolves the workflows and what every request says about its session.
func (o *OpenAI) compile(r block.Resolver) (err error) {
	t := &o.template
	if t.Workflow.ID, err = r.Required("workflow", o.Workflow); err != nil {
		return err
	}
	o.workflows = make(map[string]string, len(o.Models))
	for model, id := range o.Models {
		if o.workflows[model], err = r.Required("workflow "+model, id); err != nil {
			return err
		}
	}
	if t.Workflow.Version, err = r.Optional("version", o.Version); err != nil {
		return err
	}
	if t.Workflow.Version == latest { // from a placeholder
		return errLatest
	}
	if o.ExpiresAfter > 0 {
		t.ExpiresAfter = &expiresAfter{Anchor: "created_at", Seconds: int(time.Duration(o.ExpiresAfter) / time.Second)}
	}
	if o.FileUpload {
		t.ChatKit = new(chatKit)
		t.ChatKit.FileUpload.Enabled = true
	}
	if o.RateLimit > 0 {
		t.RateLimits = &rateLimits{PerMinute: o.RateLimit}
	}
	return nil
}

// Validate returns an error for what OpenAI would refuse.
func (o *OpenAI) Validate() error {
	d := time.Duration(o.ExpiresAfter)
	switch {
	case o.Version == latest:
		return errLatest
	case d < 0 || d > maxExpiresAfter:
		return fmt.Errorf("expires_after: %s is not between 1s and %s", d, maxExpiresAfter)
	case d%time.Second != 0:
		return fmt.Errorf("expires_after: %s is not a whole number of seconds", d)
	case o.StateVariables != "" && o.StateVariables != "metadata":
		return fmt.Errorf("invalid state_variables %q (want metadata)", o.StateVariables)
	case o.RateLimit < 0:
		return fmt.Errorf("rate_limit: %d is negative", o.RateLimit)
	}
	return nil
}

// Interface guards.
var (
	_ caddy.Validator         = (*OpenAI)(nil)
	_ caddy.Provisioner       = (*OpenAI)(nil)
	_ caddyfile.Unmarshaler   = (*OpenAI)(nil)
	_ session.Provider        = (*OpenAI)(nil)
	_ session.Canceler        = (*OpenAI)(nil)
	_ session.OrphanCanceler  = (*OpenAI)(nil)
	_ session.ModelLister     = (*OpenAI)(nil)
	_ session.ModelFinder     = (*OpenAI)(nil)
	_ session.MetadataChecker = (*OpenAI)(nil)
	_ session.SpecChecker     = (*OpenAI)(nil)
	_ session.Recognizer      = (*OpenAI)(nil)
	_ session.Hinter          = (*OpenAI)(nil)
)
