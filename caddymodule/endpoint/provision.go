package endpoint

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/upstream"
	"github.com/caddy-chatkit/caddy-chatkit/provider"
)

// Connect resolves the configuration. A stand-in calls it when it is provisioned. path
// is what its API has below the base address.
func (e *Endpoint) Connect(ctx caddy.Context, path ...string) error {
	r := block.NewResolver()
	base, err := r.URL("url", e.URL, "key")
	if err != nil {
		return err
	}
	if base.Path == "/" {
		ctx.Logger().Warn("url has no path; OpenAI's API, and what speaks it, is usually below /v1", zap.String("url", e.URL))
	}
	header, err := e.header(r)
	if err != nil {
		return err
	}
	if err := e.resolve(r); err != nil {
		return err
	}
	upstream.WarnOfKey(ctx, "key", e.Key, base)
	if err := e.Load(ctx, base); err != nil {
		return err
	}
	e.dialect = cmp.Or(e.Dialect, dialectOf(base))
	e.client = provider.Client{URL: base.JoinPath(path...), Header: header, Transport: e.RoundTripper(), KeyLimit: true}
	return nil
}

// header returns the header of every request.
func (e *Endpoint) header(r block.Resolver) (http.Header, error) {
	key, err := r.Secret("key", e.Key)
	if err != nil {
		return nil, err
	}
	h := http.Header{
		"Accept":       {"text/event-stream"},
		"Content-Type": {"application/json"},
		"User-Agent":   {"caddy-chatkit"},
	}
	if key != "" {
		h["Authorization"] = []string{"Bearer " + key.Reveal()}
	}
	return h, nil
}

// resolve resolves the texts.
func (e *Endpoint) resolve(r block.Resolver) (err error) {
	if e.model, err = r.Required("model", e.Name); err != nil {
		return err
	}
	for _, f := range []struct {
		field, value, standard string
		into                   *string
	}{
		{"instructions", e.Instructions, defaultInstructions, &e.instructions},
		{"title", e.Title, defaultTitle, &e.title},
		{"notice", e.Words, defaultWords, &e.words},
	} {
		text, err := r.Optional(f.field, f.value)
		if err != nil {
			return err
		}
		*f.into = cmp.Or(text, f.standard)
	}
	return nil
}

// dialectOf returns the dialect of a host where none is configured.
func dialectOf(base *url.URL) string {
	host := strings.ToLower(base.Hostname())
	if host == "api.openai.com" || strings.HasSuffix(host, ".api.openai.com") {
		return openAI
	}
	return compatible
}
