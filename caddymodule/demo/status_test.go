package demo

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// breakerMetrics are those of a product with one breaker open and one closed.
const breakerMetrics = `# HELP caddy_chatkit_breaker_open_until_timestamp_seconds When
# TYPE caddy_chatkit_breaker_open_until_timestamp_seconds gauge
caddy_chatkit_breaker_open_until_timestamp_seconds{provider="backend"} 1.0000025e+06
caddy_chatkit_breaker_open_until_timestamp_seconds{provider="openai"} 0
caddy_chatkit_breaker_state{provider="backend",state="closed"} 0
caddy_chatkit_breaker_state{provider="backend",state="open"} 1
caddy_chatkit_breaker_state{provider="openai",state="closed"} 1
caddy_chatkit_breaker_state{provider="openai",state="open"} 0
`

func TestReadBreakers(t *testing.T) {
	got, err := readBreakers(strings.NewReader(breakerMetrics), time.Unix(1_000_000, 0))
	want := map[string]providerStatus{"backend": {State: "open", ProbeIn: 2.5}, "openai": {State: "closed"}}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestStatus(t *testing.T) {
	backend, err := sandbox.NewBackend(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	if err := backend.Set(sandbox.Status503); err != nil {
		t.Fatal(err)
	}
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(breakerMetrics))
	}))
	s := &statusPage{metricsURL: metrics.URL, servers: map[string]*sandbox.Server{"backend": backend}}
	ask := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/demo/status", http.NoBody))
		return w
	}
	want := `{"providers":[{"name":"backend","state":"open","probe_in":0,"fault":"503"}]}` + "\n"
	if got := ask(); got.Code != http.StatusOK || got.Body.String() != want {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	metrics.Close()
	if got := ask(); got.Code != http.StatusBadGateway {
		t.Errorf("without metrics: got %d %s", got.Code, got.Body)
	}
}

// The page comes first in what is printed.
func TestPrintHelp(t *testing.T) {
	var out strings.Builder
	(&demo{port: 8080, out: &out}).printHelp()
	first, rest, _ := strings.Cut(out.String(), "\n")
	if !strings.Contains(first, "open http://localhost:8080/ in a browser") || strings.Count(rest, "\n  curl ") != 3 {
		t.Errorf("printed %s", out.String())
	}
}
