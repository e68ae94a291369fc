package webhook

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
)

func init() { caddy.RegisterModule(new(Webhook)) }

// Webhook posts events as JSON: `{"event": "chatkit.fallback", "time": "…", "data":
// {…}, "text": "chatkit.fallback: provider=backend, …"}`. Chat services such as
// Slack show the text, in which &, < and > are escaped as Slack wants it.
//
// If the URL does not answer with 2xx within the timeout, the events app logs an
// error. The event is not sent again.
type Webhook struct {
	// The URL to post to, http or https. Required. It often contains a secret:
	// use `{env.*}` or `{file.*}`. It is never logged.
	URL string `json:"url,omitempty"`

	// Time limit of a request. Default: 5s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	url    string
	client *http.Client
}

const defaultTimeout = 5 * time.Second

// CaddyModule returns the Caddy module information.
func (*Webhook) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "events.handlers.chatkit_webhook", New: func() caddy.Module { return new(Webhook) }}
}

// Provision resolves and checks the URL.
func (h *Webhook) Provision(caddy.Context) error {
	address, err := caddy.NewReplacer().ReplaceOrErr(h.URL, true, true)
	if err != nil {
		return fmt.Errorf("url: %w", err)
	}
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return errors.New("url: value is not an http or https URL")
	}
	if h.Timeout < 0 {
		return fmt.Errorf("timeout: %s is negative", time.Duration(h.Timeout))
	}
	h.url, h.client = address, &http.Client{
		Timeout: cmp.Or(time.Duration(h.Timeout), defaultTimeout),
		// A redirect could lead anywhere, Caddy's own admin API included, and the
		// address is a secret.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// Cleanup closes idle connections.
func (h *Webhook) Cleanup() error {
	if h.client != nil {
		h.client.CloseIdleConnections()
	}
	return nil
}

// Handle posts an event.
func (h *Webhook) Handle(ctx context.Context, e caddy.Event) error {
	body, err := json.Marshal(map[string]any{
		"event": e.Name(), "time": e.Timestamp().UTC().Format(time.RFC3339), "data": e.Data, "text": summary(e),
	})
	if err != nil {
		return fmt.Errorf("webhook: writing event: %w", err)
	}
	// The event's context may belong to a request or configuration that has ended.
	// The event must be sent nevertheless.
	r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("webhook: invalid URL")
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := h.client.Do(r)
	if err != nil {
		return fmt.Errorf("webhook: %w", withoutURL(err))
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("webhook: answered %d", resp.StatusCode)
	}
	return nil
}

// withoutURL removes the URL from an error.
func withoutURL(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}

// UnmarshalCaddyfile sets up the handler from Caddyfile tokens. Syntax:
//
//	chatkit_webhook <url> [<timeout>]
func (h *Webhook) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the module
	args := d.RemainingArgs()
	if len(args) < 1 || len(args) > 2 {
		return d.Errf("wrong syntax, want: chatkit_webhook <url> [<timeout>]")
	}
	h.URL = args[0]
	if len(args) == 2 {
		timeout, err := caddy.ParseDuration(args[1])
		if err != nil || timeout <= 0 {
			return d.Errf("chatkit_webhook: invalid timeout %q (want 500ms, 3s, 1m)", args[1])
		}
		h.Timeout = caddy.Duration(timeout)
	}
	return nil
}

// Interface guards.
var (
	_ caddy.Provisioner     = (*Webhook)(nil)
	_ caddy.CleanerUpper    = (*Webhook)(nil)
	_ caddyfile.Unmarshaler = (*Webhook)(nil)
	_ caddyevents.Handler   = (*Webhook)(nil)
)
