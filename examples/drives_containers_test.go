package examples_test

import (
	"net/http"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// driveContainer serves without a host name, and has probes and metrics on a port of their own.
func driveContainer(s *site, name string) {
	t, probes := s.T, testsite.Nobody(s.T)
	text := strings.Replace(read(t, name), ":9180 {", probes+" {", 1)
	s.serveText(text)
	s.Session().Is(t, "200 backend")
	for path, want := range map[string]string{"/live": `{"live":true}`, "/ready": `{"ready":true}`, "/metrics": "caddy_chatkit_sessions_total"} {
		if a := testsite.Do(t, http.DefaultClient, http.MethodGet, probes+path, ""); a.Status != http.StatusOK || !strings.Contains(a.Raw, want) {
			t.Errorf("%s: got %d %.200s", path, a.Status, a.Raw)
		}
	}
	if a := testsite.Do(t, http.DefaultClient, http.MethodGet, s.URL+"/metrics", ""); strings.Contains(a.Raw, "caddy_chatkit") {
		t.Error("metrics are public")
	}
	checkWait(t, untilRefused(t, 59, func(int) testsite.Answer { return s.Session() }))
}
