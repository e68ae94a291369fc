package examples_test

import (
	"regexp"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// Each provider gets a context of its own, in one trace, which the client has no say
// in.
func driveTracing(s *site) {
	t := s.T
	t.Setenv("OTEL_TRACES_EXPORTER", "none") // there is no collector
	s.serve("tracing")
	testsite.Set(t, s.Backend, sandbox.Status500)
	s.Session("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").Is(t, "200 openai status_5xx")
	backend, openai := s.Backend.Requests()[0].Header.Get("Traceparent"), s.OpenAI.Requests()[0].Header.Get("Traceparent")
	one := regexp.MustCompile(`^(00-[0-9a-f]{32})-[0-9a-f]{16}-01$`).FindStringSubmatch(backend)
	if one == nil || !strings.HasPrefix(openai, one[1]) || openai == backend || strings.Contains(one[1], "0af7651916cd43dd8448eb211c80319c") {
		t.Errorf("the backend got %q, OpenAI %q", backend, openai)
	}
}
