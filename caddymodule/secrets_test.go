package caddymodule_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// sweep collects all that leaves the product, to look for secrets in it.
type sweep struct {
	*site
	seen    []string
	visitor string // the cookie of one
}

// ask sends requests of all kinds and keeps the errors.
func (s *sweep) ask() {
	s.T.Helper()
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
		path := r.path + "?key=planted-query"
		a, err := s.Try(r.method, path, r.body, append(plants, "Authorization: Bearer "+old, "Cookie: s="+old+"; "+s.visitor)...)
		for end := time.Now().Add(5 * time.Second); err != nil && time.Now().Before(end); {
			a, err = s.Try(r.method, path, r.body) // a reload may have cost a connection
		}
		if err != nil {
			s.T.Fatal(err)
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
	s.T.Helper()
	for _, r := range []struct{ key, path, body string }{
		{appKey, "/v1/chatkit/sessions", `{"user":"u","workflow":{"id":"wf_1"}}`},
		{appKey, "/v1/chatkit/sessions", `{"workflow":"` + appKey + `"}`},
		{appKey, "/v1/chatkit/sessions/cksess_none/cancel", ""},
		{appKey + "x", "/v1/chatkit/sessions", "{}"},
	} {
		a := s.Post(r.path, r.body, "Authorization: Bearer "+r.key)
		if a.Status != http.StatusOK {
			s.seen = append(s.seen, a.Raw)
		}
	}
}

// pages are what operators see.
func (s *sweep) pages() {
	s.T.Helper()
	s.seen = append(s.seen, s.Get(s.Admin+"/config/"), s.Get(s.Admin+"/metrics"), s.Get(s.Admin+"/reverse_proxy/upstreams"),
		s.Get(s.Admin+"/chatkit/providers"))
}

// reload posts a configuration to the admin API and keeps what it says.
func (s *sweep) reload(caddyfile string, accepted bool) {
	s.T.Helper()
	resp, err := s.Client.Post(s.Admin+"/load", "text/caddyfile", strings.NewReader(caddyfile))
	if err != nil {
		s.T.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.T.Fatal(err)
	}
	if (resp.StatusCode == http.StatusOK) != accepted {
		s.T.Errorf("loading gave %d %s", resp.StatusCode, text)
	}
	s.seen = append(s.seen, string(text))
}

// No secret is to be seen anywhere: not in a log at the finest level, not in
// the configuration, the metrics or an error.
func TestSecretsStayInside(t *testing.T) {
	s := &sweep{site: newUnloadedSite(t)}
	s.persistent() // a load replaces the admin server it came in by
	block := strings.NewReplacer(
		"key {env.TEST_BACKEND_KEY}", "key {env.TEST_BACKEND_KEY}\n forward_headers X-Auth-Token",
		"{env.TEST_OPENAI_KEY}", "{file."+file(t, testsite.OpenAIKey+"\n")+"}",
		"timeout 200ms", "timeout 200ms\n breaker {\n consecutive 4\n open 20ms\n }",
	).Replace(visitor) + "\n openai_api /v1 {\n key {env.TEST_APP_KEY}\n }"
	t.Setenv("TEST_APP_KEY", appKey)
	s.LoadText(s.filtered(block))
	s.visitor, _, _ = strings.Cut(s.Session().Header.Get("Set-Cookie"), ";")
	faults := slices.DeleteFunc(sandbox.Faults(), func(f sandbox.Fault) bool { return f == sandbox.Slow })
	for _, f := range faults {
		testsite.Set(t, s.Backend, f)
		s.ask()
	}
	testsite.Set(t, s.Backend, sandbox.Refuse)
	for _, f := range faults {
		testsite.Set(t, s.OpenAI, f)
		s.ask()
	}
	testsite.Set(t, s.Backend, sandbox.None)
	s.askAsApp() // everybody is in trouble
	testsite.Set(t, s.OpenAI, sandbox.None)
	s.askAsApp()
	s.pages()

	good := s.filtered(block + "\n deadline 9s")
	s.reload(good, true)
	s.ask()
	literal := strings.NewReplacer("{env.TEST_BACKEND_KEY}", testsite.BackendKey, "{env.TEST_OPENAI_KEY}", testsite.OpenAIKey)
	for _, broken := range []string{
		literal.Replace(visitor) + "\n nonsense",
		strings.Replace(literal.Replace(visitor), "wf_test", "{env.TEST_UNSET}", 1),
		strings.Replace(literal.Replace(visitor), "wf_test", "wf_test\n version latest", 1),
		strings.Replace(visitor, "{env.TEST_BACKEND_KEY}", "{env.TEST_BROKEN_KEY}", 1),
		strings.Replace(visitor, "{env.TEST_BACKEND_URL}", "{env.TEST_BROKEN_URL}", 1),
	} {
		t.Setenv("TEST_BROKEN_KEY", "a\n"+testsite.BackendKey)
		t.Setenv("TEST_BROKEN_URL", "http://user:"+testsite.BackendKey+"@127.0.0.1")
		s.reload(s.Caddyfile(broken), false)
	}
	s.ask()
	s.pages()
	s.AwaitLogged("caddy.log", `"attempt"`)
	s.AwaitLogged("access.log", "/api/chatkit/refresh")

	secrets := append(s.Backend.Issued(), s.OpenAI.Issued()...)
	if len(secrets) < 20 {
		t.Fatalf("only %d sessions were issued", len(secrets))
	}
	_, cookie, _ := strings.Cut(s.visitor, "=")
	if cookie == "" {
		t.Fatal("there is no cookie for visitors")
	}
	s.look(append(secrets, testsite.BackendKey, testsite.OpenAIKey, appKey, cookie, "planted-"))
}

// look looks for secrets in all that was seen and in the logs.
func (s *sweep) look(secrets []string) {
	s.T.Helper()
	places := map[string]string{
		"an answer or a page": strings.Join(s.seen, "\n"),
		"caddy.log":           strings.Join(s.Logged("caddy.log"), ""),
		"access.log":          strings.Join(s.Logged("access.log"), ""),
	}
	for place, text := range places {
		for _, secret := range secrets {
			if i := strings.Index(text, secret); i >= 0 {
				s.T.Fatalf("%s shows a secret: %s", place, text[max(0, i-200):i+len(secret)])
			}
		}
	}
}
