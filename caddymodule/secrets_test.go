package caddymodule_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// sweep collects all that leaves the product, to look for secrets in it.
type sweep struct {
	*site
	seen []string
}

// ask sends requests of all kinds and keeps the errors.
func (s *sweep) ask() {
	s.t.Helper()
	issued := append(s.Backend.Issued(), s.OpenAI.Issued()...)
	old := "ek_none"
	if len(issued) > 0 {
		old = issued[len(issued)-1]
	}
	for _, r := range []struct{ method, path, body string }{
		{http.MethodPost, "/api/custom/session", `{"model":"m"}`},
		{http.MethodPost, "/api/chatkit/session", ""},
		{http.MethodPost, "/api/custom/refresh", `{"token":"` + old + `"}`},
		{http.MethodPost, "/api/chatkit/refresh", `{"currentClientSecret":"` + old + `"}`},
		{http.MethodPost, "/api/chatkit/refresh", `{"currentClientSecret":"` + old + `"`},
		{http.MethodPost, "/api/chatkit/refresh", `{"currentClientSecret":["` + old + `"]}`},
		{http.MethodGet, "/api/custom/session", ""},
		{http.MethodOptions, "/api/custom/session", ""},
	} {
		a, err := s.try(r.method, r.path, r.body, "Authorization: Bearer "+old, "Cookie: s="+old)
		for end := time.Now().Add(5 * time.Second); err != nil && time.Now().Before(end); {
			a, err = s.try(r.method, r.path, r.body) // a reload may have cost a connection
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if a.Status != http.StatusOK {
			s.seen = append(s.seen, a.Raw)
		}
		for name, values := range a.Header {
			s.seen = append(s.seen, name+": "+strings.Join(values, " "))
		}
	}
}

// askAsApp sends requests of an app that uses OpenAI's API, good and bad ones,
// and keeps the errors.
func (s *sweep) askAsApp() {
	s.t.Helper()
	for _, r := range []struct{ key, path, body string }{
		{appKey, "/v1/chatkit/sessions", `{"user":"u","workflow":{"id":"wf_1"}}`},
		{appKey, "/v1/chatkit/sessions", `{"workflow":"` + appKey + `"}`},
		{appKey, "/v1/chatkit/sessions/cksess_none/cancel", ""},
		{appKey + "x", "/v1/chatkit/sessions", "{}"},
	} {
		a := s.post(r.path, r.body, "Authorization: Bearer "+r.key)
		if a.Status != http.StatusOK {
			s.seen = append(s.seen, a.Raw)
		}
	}
}

// pages are what operators see.
func (s *sweep) pages() {
	s.t.Helper()
	s.seen = append(s.seen, s.get(s.Admin+"/config/"), s.get(s.Admin+"/metrics"), s.get(s.Admin+"/reverse_proxy/upstreams"),
		s.get(s.Admin+"/chatkit/providers"))
}

// reload posts a configuration to the admin API and keeps what it says.
func (s *sweep) reload(caddyfile string, accepted bool) {
	s.t.Helper()
	resp, err := s.client.Post(s.Admin+"/load", "text/caddyfile", strings.NewReader(caddyfile))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if (resp.StatusCode == http.StatusOK) != accepted {
		s.t.Errorf("loading gave %d %s", resp.StatusCode, text)
	}
	s.seen = append(s.seen, string(text))
}

// No secret is to be seen anywhere: not in a log at the finest level, not in
// the configuration, the metrics or an error.
func TestSecretsStayInside(t *testing.T) {
	s := &sweep{site: newUnloadedSite(t)}
	s.persistent() // a load replaces the admin server it came in by
	block := strings.NewReplacer(
		"{env.TEST_OPENAI_KEY}", "{file."+file(t, openaiKey+"\n")+"}",
		"timeout 200ms", "timeout 200ms\n breaker {\n consecutive 4\n open 20ms\n }",
	).Replace(visitor) + "\n openai_api /v1 {\n key {env.TEST_APP_KEY}\n }"
	t.Setenv("TEST_APP_KEY", appKey)
	if err := s.load(block); err != nil {
		t.Fatal(err)
	}
	faults := slices.DeleteFunc(sandbox.Faults(), func(f sandbox.Fault) bool { return f == sandbox.Slow })
	for _, f := range faults {
		set(t, s.Backend, f)
		s.ask()
	}
	set(t, s.Backend, sandbox.Refuse)
	for _, f := range faults {
		set(t, s.OpenAI, f)
		s.ask()
	}
	set(t, s.Backend, sandbox.None)
	s.askAsApp() // everybody is in trouble
	set(t, s.OpenAI, sandbox.None)
	s.askAsApp()
	s.pages()

	good := s.caddyfile(block + "\n deadline 9s")
	s.reload(good, true)
	s.ask()
	literal := strings.NewReplacer("{env.TEST_BACKEND_KEY}", backendKey, "{env.TEST_OPENAI_KEY}", openaiKey)
	for _, broken := range []string{
		literal.Replace(visitor) + "\n nonsense",
		strings.Replace(literal.Replace(visitor), "wf_test", "{env.TEST_UNSET}", 1),
		strings.Replace(literal.Replace(visitor), "wf_test", "wf_test\n version latest", 1),
		strings.Replace(visitor, "{env.TEST_BACKEND_KEY}", "{env.TEST_BROKEN_KEY}", 1),
		strings.Replace(visitor, "{env.TEST_BACKEND_URL}", "{env.TEST_BROKEN_URL}", 1),
	} {
		t.Setenv("TEST_BROKEN_KEY", "a\n"+backendKey)
		t.Setenv("TEST_BROKEN_URL", "http://user:"+backendKey+"@127.0.0.1")
		s.reload(s.caddyfile(broken), false)
	}
	s.ask()
	s.pages()
	s.awaitLogged("caddy.log", `"attempt"`)
	s.awaitLogged("access.log", "/api/chatkit/refresh")

	secrets := append(s.Backend.Issued(), s.OpenAI.Issued()...)
	if len(secrets) < 20 {
		t.Fatalf("only %d sessions were issued", len(secrets))
	}
	s.look(append(secrets, backendKey, openaiKey, appKey))
}

// look looks for secrets in all that was seen and in the logs.
func (s *sweep) look(secrets []string) {
	s.t.Helper()
	places := map[string]string{
		"an answer or a page": strings.Join(s.seen, "\n"),
		"caddy.log":           strings.Join(s.logged("caddy.log"), ""),
		"access.log":          strings.Join(s.logged("access.log"), ""),
	}
	for place, text := range places {
		for _, secret := range secrets {
			if i := strings.Index(text, secret); i >= 0 {
				s.t.Fatalf("%s shows a secret: %s", place, text[max(0, i-200):i+len(secret)])
			}
		}
	}
}
