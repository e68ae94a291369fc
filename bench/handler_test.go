package bench

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule"
)

// config has two providers. All benchmarks share one configuration, so each has
// providers with names of its own.
const config = `{
	"anonymous": {"key": "a-key-for-benchmarks-and-no-other"},
	"providers": [
		{"name": "backend-%NAME%", "provider": {"module": "backend", "url": "http://a.invalid", "key": "k", "transport": {"protocol": "stub"}},
		 "retries": 0, "breaker": %BREAKER%},
		{"name": "openai-%NAME%", "provider": {"module": "openai", "base_url": "http://b.invalid/v1", "key": "k", "workflow": "wf_1",
		 "transport": {"protocol": "stub"}}}
	]}`

// breakers are the settings of the first provider's breaker, by benchmark.
var breakers = map[string]string{
	"BenchmarkClosed":      `{}`,
	"BenchmarkOpen":        `{"consecutive": 1, "open": "1h"}`,
	"BenchmarkFailingOver": `{"consecutive": -1, "ratio": -1}`,
}

// handlers loads a handler for each benchmark as Caddy does: all of a configuration
// before the first request.
var handlers = sync.OnceValues(func() (map[string]*caddymodule.Handler, error) {
	ctx, _ := caddy.NewContext(caddy.ActiveContext()) // until the process ends
	loaded := make(map[string]*caddymodule.Handler, len(breakers))
	for name, breaker := range breakers {
		raw := json.RawMessage(strings.NewReplacer("%BREAKER%", breaker, "%NAME%", name).Replace(config))
		mod, err := ctx.LoadModuleByID("http.handlers.chatkit", raw)
		if err != nil {
			return nil, err
		}
		loaded[name] = mod.(*caddymodule.Handler)
	}
	return loaded, nil
})

// handler returns the handler of a benchmark.
func handler(b *testing.B) caddyhttp.MiddlewareHandler {
	b.Helper()
	all, err := handlers()
	if err != nil {
		b.Fatal(err)
	}
	return all[b.Name()]
}

// request returns a session request as Caddy's server passes it to handlers.
func request(w http.ResponseWriter) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/custom/session", strings.NewReader(`{"model":"custom-v1"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", "http://example.com")
	// Signed by the key in config, for the host of httptest.
	r.AddCookie(&http.Cookie{Name: "chatkit_session_id", Value: "7f9c24e8-3b12-4fef-91e0-56a2d5a3c1b0.HkmcAx-i15bBJKVWoZvWrWmCxp1qXz7p3zZGag20MfU"})
	return caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil)
}

// serve measures sessions, without the time to create the requests.
func serve(b *testing.B, h caddyhttp.MiddlewareHandler, wantProvider string) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		w := httptest.NewRecorder()
		r := request(w)
		b.StartTimer()
		if err := h.ServeHTTP(w, r, nil); err != nil {
			b.Fatal(err)
		}
		if w.Header().Get("Set-Cookie") != "" {
			b.Fatal("the visitor's cookie is not valid")
		}
		if got := w.Header().Get("X-Chatkit-Provider"); !strings.HasPrefix(got, wantProvider) {
			b.Fatalf("served by %q: %s", got, w.Body)
		}
	}
}

// BenchmarkClosed: the first provider serves.
func BenchmarkClosed(b *testing.B) {
	broken.Store(false)
	serve(b, handler(b), "backend")
}

// BenchmarkOpen: the breaker of the first provider is open, the second serves.
func BenchmarkOpen(b *testing.B) {
	broken.Store(true)
	h := handler(b)
	w := httptest.NewRecorder()
	if err := h.ServeHTTP(w, request(w), nil); err != nil {
		b.Fatal(err)
	}
	serve(b, h, "openai")
}

// BenchmarkFailingOver: the first provider is asked and fails every time.
func BenchmarkFailingOver(b *testing.B) {
	broken.Store(true)
	serve(b, handler(b), "openai")
}
