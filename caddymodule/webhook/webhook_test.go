package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/webhook"
)

// handler is a webhook set up from a line of a Caddyfile.
func handler(t *testing.T, line string) (*webhook.Webhook, error) {
	t.Helper()
	h := new(webhook.Webhook)
	if err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser(line)); err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = h.Cleanup() })
	return h, h.Provision(caddy.Context{})
}

func event(t *testing.T) caddy.Event {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	t.Cleanup(cancel)
	e, err := caddy.NewEvent(ctx, "chatkit.fallback", map[string]any{"provider": "backend", "served_by": "openai", "reason": "dial", "from": ""})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestWebhookPosts(t *testing.T) {
	var got map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.URL.Path != "/planted-secret" {
			t.Errorf("got %s %s %v", r.Method, r.URL, r.Header)
		}
		_ = json.NewDecoder(r.Body).Decode(&got)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	t.Setenv("TEST_WEBHOOK", server.URL+"/planted-secret")
	h, err := handler(t, "chatkit_webhook {env.TEST_WEBHOOK}")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the configuration is gone, the event is not
	if err := h.Handle(ctx, event(t)); err != nil {
		t.Fatal(err)
	}
	if data, _ := got["data"].(map[string]any); got["event"] != "chatkit.fallback" || data["reason"] != "dial" ||
		got["text"] != "chatkit.fallback: provider=backend, reason=dial, served_by=openai" {
		t.Errorf("got %v", got)
	}
	if _, err := time.Parse(time.RFC3339, got["time"].(string)); err != nil {
		t.Error(err)
	}
}

// Errors name what happened, and never the address.
func TestWebhookErrors(t *testing.T) {
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/planted-slow" {
			time.Sleep(500 * time.Millisecond)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer failing.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, c := range map[string]struct{ line, want string }{
		"error status": {failing.URL + "/planted", "answered 500"},
		"unreachable":  {gone.URL + "/planted", "refused"},
		"slow":         {failing.URL + "/planted-slow 50ms", "deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := handler(t, "chatkit_webhook "+c.line)
			if err != nil {
				t.Fatal(err)
			}
			err = h.Handle(t.Context(), event(t))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "planted") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A redirect is an error and not followed: it could lead to Caddy's admin API.
func TestWebhookRedirect(t *testing.T) {
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/stop", status))
		h, err := handler(t, "chatkit_webhook "+server.URL+"/planted")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Handle(t.Context(), event(t)); err == nil || err.Error() != fmt.Sprintf("webhook: answered %d", status) {
			t.Errorf("%d: got %v", status, err)
		}
		server.Close()
	}
	if asked > 0 {
		t.Errorf("%d redirects were followed", asked)
	}
}

func TestWebhookRefusals(t *testing.T) {
	t.Setenv("TEST_PLANTED", "ftp://planted.example.com")
	for line, want := range map[string]string{
		"":                        "want: chatkit_webhook <url>",
		" https://a 5s more":      "want: chatkit_webhook <url>",
		" https://a soon":         "invalid timeout",
		" https://a 0s":           "invalid timeout",
		" planted":                "not an http or https URL",
		" {env.TEST_PLANTED}":     "not an http or https URL",
		" {env.TEST_UNSET_THING}": "url:",
	} {
		if _, err := handler(t, "chatkit_webhook"+line); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "planted.example") {
			t.Errorf("%q: got %v", line, err)
		}
	}
}

// Nothing in the data of an event is markup for Slack. The data itself stays as it
// is.
func TestWebhookEscapesText(t *testing.T) {
	var got struct {
		Text string         `json:"text"`
		Data map[string]any `json:"data"`
	}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = json.NewDecoder(r.Body).Decode(&got)
	}))
	defer server.Close()
	h, err := handler(t, "chatkit_webhook "+server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	t.Cleanup(cancel)
	const reason = "<!channel> R&D <https://evil.test|click>"
	e, err := caddy.NewEvent(ctx, "chatkit.breaker_changed", map[string]any{"reason": reason})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Handle(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if want := "chatkit.breaker_changed: reason=&lt;!channel&gt; R&amp;D &lt;https://evil.test|click&gt;"; got.Text != want || got.Data["reason"] != reason {
		t.Errorf("got %+v", got)
	}
}
