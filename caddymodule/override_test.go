package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// admin asks the admin API.
func (s *site) admin(method, path, body string) (status int, answer string) {
	s.T.Helper()
	r, err := http.NewRequestWithContext(s.T.Context(), method, s.Admin+path, strings.NewReader(body))
	if err != nil {
		s.T.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Do(r)
	if err != nil {
		s.T.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.T.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// statuses are the providers as the admin API lists them, by id.
func (s *site) statuses() map[string]registry.ProviderStatus {
	s.T.Helper()
	raw := s.Get(s.Admin + "/chatkit/providers")
	var all []registry.ProviderStatus
	if err := json.Unmarshal([]byte(raw), &all); err != nil {
		s.T.Fatalf("got %s", raw)
	}
	byID := make(map[string]registry.ProviderStatus)
	for _, p := range all {
		byID[p.ID] = p
	}
	return byID
}

// force forces the breaker of a provider.
func (s *site) force(action, id, length string) registry.ProviderStatus {
	s.T.Helper()
	status, raw := s.admin(http.MethodPost, "/chatkit/providers/"+id+"/"+action, fmt.Sprintf(`{"for":%q,"reason":"a deploy"}`, length))
	var p registry.ProviderStatus
	if err := json.Unmarshal([]byte(raw), &p); err != nil || status != http.StatusOK {
		s.T.Fatalf("got %d %s", status, raw)
	}
	return p
}

// What the list says of a provider that is well, and of one that is not.
func TestProviderStatus(t *testing.T) {
	s := newSite(t, visitor)
	all := s.statuses()
	if p := all["backend"]; len(all) != 2 || p.Name != "backend" || p.Module != "backend" || p.State != "closed" || p.OpenUntil != nil ||
		p.LastFailure != nil || p.Forced != nil || time.Since(p.Since) > time.Minute || p.ID != p.Name {
		t.Errorf("got %+v", p)
	}
	testsite.Set(t, s.Backend, sandbox.Status500)
	for range 6 {
		s.Session()
	}
	p := s.statuses()["backend"]
	if p.State != "open" || p.OpenUntil == nil || time.Until(*p.OpenUntil) <= 0 || p.LastFailure == nil ||
		p.LastFailure.Reason != "status_5xx" || p.LastFailure.Status != 500 || time.Since(p.LastFailure.At) > time.Minute {
		t.Errorf("got %+v, last failure %+v", p, p.LastFailure)
	}
	if p := s.statuses()["openai"]; p.State != "closed" || p.Counts.Calls != 6 || p.Counts.Failed != 0 {
		t.Errorf("got %+v", p)
	}
}

// Forced open: nobody asks the provider, streams neither, and every place says
// why; a reload changes nothing, even one that changes the provider; and the time
// runs out by itself.
func TestForceOpen(t *testing.T) {
	s := newSite(t, visitor)
	s.persistent()
	const opened = `breaker_transitions_total{from="closed",provider="backend",to="forced_open"}`
	before := s.Metric(opened)
	p := s.force("open", "backend", "2s")
	if p.State != "forced_open" || p.Forced == nil || p.Forced.Reason != "a deploy" || p.OpenUntil == nil || time.Until(*p.OpenUntil) > 2*time.Second {
		t.Errorf("got %+v", p)
	}
	until := p.Forced.Until
	check := func(when string) {
		t.Helper()
		got, p := s.Session(), s.statuses()["backend"]
		if got.Provider() != "openai" || got.Reason() != "forced_open" || s.Backend.Calls() != 0 {
			t.Errorf("%s: served by %s because %q, backend asked %d times", when, got.Provider(), got.Reason(), s.Backend.Calls())
		}
		if p.State != "forced_open" || p.Forced == nil || !p.Forced.Until.Equal(until) || p.Forced.Reason != "a deploy" {
			t.Errorf("%s: got %+v", when, p)
		}
	}
	check("at once")
	if got := s.Stream(); got.Status != http.StatusServiceUnavailable {
		t.Errorf("a stream got %d", got.Status)
	}
	if s.Metric(`breaker_state{provider="backend",state="forced_open"}`) != 1 || s.Metric(opened) != before+1 {
		t.Error("the metrics do not say so")
	}
	s.Load(visitor + "\n deadline 9s")
	check("after a reload")
	s.Load(strings.Replace(visitor, "retries 0", "retries 1", 1))
	check("after a reload that changes the provider")
	s.AwaitLogged("caddy.log", `"breaker changed"`, `"to":"forced_open"`, `"reason":"a deploy"`, `"level":"warn"`)

	time.Sleep(time.Until(until) + 50*time.Millisecond)
	if p := s.statuses()["backend"]; p.State != "closed" || p.Forced != nil {
		t.Errorf("when it is over: got %+v", p)
	}
	if got := s.Session(); got.Provider() != "backend" {
		t.Errorf("when it is over: served by %s", got.Provider())
	}
	s.AwaitLogged("caddy.log", `"breaker changed"`, `"from":"forced_open"`)
}

// Forced closed: a provider that fails is asked all the same.
func TestForceClosedAndAuto(t *testing.T) {
	s := newSite(t, visitor)
	testsite.Set(t, s.Backend, sandbox.Status500)
	for range 7 {
		s.Session()
	}
	asked := s.Backend.Calls()
	if p := s.force("close", "backend", "1h"); p.State != "forced_closed" || p.OpenUntil != nil {
		t.Errorf("got %+v", p)
	}
	for range 10 {
		if got := s.Session(); got.Reason() != "status_5xx" {
			t.Errorf("fallback because %q", got.Reason())
		}
	}
	if got := s.Backend.Calls(); got != asked+10 {
		t.Errorf("the backend was asked %d times more", got-asked)
	}
	status, raw := s.admin(http.MethodPost, "/chatkit/providers/backend/auto", "")
	if status != http.StatusOK || !strings.Contains(raw, `"state":"open"`) || strings.Contains(raw, "forced") {
		t.Errorf("got %d %s", status, raw)
	}
	if got := s.Session(); got.Reason() != "open" {
		t.Errorf("fallback because %q", got.Reason())
	}
	if status, _ := s.admin(http.MethodPost, "/chatkit/providers/backend/auto", ""); status != http.StatusOK {
		t.Errorf("nothing to release: got %d", status)
	}
}

// What the admin API refuses, and how it says so.
func TestOverrideErrors(t *testing.T) {
	const open = "/chatkit/providers/backend/open"
	tests := []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"no such provider", "POST", "/chatkit/providers/backnd/open", `{"for":"1m"}`, 404, `no provider \"backnd\"`},
		{"no such action", "POST", "/chatkit/providers/backend/explode", `{"for":"1m"}`, 404, `unknown action \"explode\" (want open, close or auto)`},
		{"no action", "POST", "/chatkit/providers/backend", `{"for":"1m"}`, 404, `unknown action \"\"`},
		{"more than an action", "POST", open + "/now", `{"for":"1m"}`, 404, `unknown action \"open/now\"`},
		{"GET", "GET", open, "", 405, "GET is not allowed, use POST"},
		{"POST of the list", "POST", "/chatkit/providers", "", 405, "POST is not allowed, use GET"},
		{"no body", "POST", open, "", 400, "for is missing"},
		{"no time", "POST", open, `{"reason":"x"}`, 400, "for is missing"},
		{"garbage for a time", "POST", open, `{"for":"soon"}`, 400, `invalid for \"soon\" (want 30s, 10m, 2h)`},
		{"a number for a time", "POST", open, `{"for":600}`, 400, "body is not"},
		{"no time at all", "POST", open, `{"for":"0s"}`, 400, `invalid for \"0s\" (want above 0)`},
		{"back in time", "POST", open, `{"for":"-1m"}`, 400, "(want above 0)"},
		{"a day and a second", "POST", open, `{"for":"24h1s"}`, 400, `invalid for \"24h1s\" (want at most 24h)`},
		{"a reason with an escape", "POST", open, `{"for":"1m","reason":"\u001b[2J"}`, 400, "reason has the character U+001B"},
		{"a reason of two lines", "POST", open, `{"for":"1m","reason":"a\nb"}`, 400, "reason has the character U+000A"},
		{"a reason with a C1 control", "POST", open, `{"for":"1m","reason":"\u009b31m"}`, 400, "reason has the character U+009B"},
		{"a reason with a bidi override", "POST", open, `{"for":"1m","reason":"\u202eopen"}`, 400, "reason has the character U+202E"},
		{"a reason with a zero-width space", "POST", open, `{"for":"1m","reason":"a\u200bb"}`, 400, "reason has the character U+200B"},
		{"two days", "POST", open, `{"for":"2d"}`, 400, "(want at most 24h)"},
		{"long reason", "POST", open, `{"for":"1m","reason":"` + strings.Repeat("x", 201) + `"}`, 400, "reason has more than 200 characters"},
		{"no JSON", "POST", open, `for=10m`, 400, "body is not"},
		{"cut", "POST", open, `{"for":"10m"`, 400, "body is not"},
		{"a list", "POST", open, `["10m"]`, 400, "body is not"},
		{"two", "POST", open, `{"for":"10m"}{}`, 400, "more than one value"},
		{"misspelled", "POST", open, `{"for":"10m","raeson":"x"}`, 400, `unknown field \"raeson\"`},
		{"too large", "POST", open, `{"for":"10m","reason":"` + strings.Repeat("x", 5000) + `"}`, 413, "more than 4096 bytes"},
	}
	s := newSite(t, visitor)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, raw := s.admin(tt.method, tt.path, tt.body)
			if status != tt.status || !strings.HasPrefix(raw, `{"error":"`) || !strings.Contains(raw, tt.want) {
				t.Errorf("got %d %s, want %d %s", status, raw, tt.status, tt.want)
			}
			if p := s.statuses()["backend"]; p.Forced != nil {
				t.Error("it was forced all the same")
			}
		})
	}
	if p := s.force("open", "backend", "24h"); p.Forced == nil {
		t.Error("a day is not taken")
	}
	if p := s.force("open", "backend", "1d"); p.Forced == nil {
		t.Error("a day is not taken in Caddy's own notation")
	}
	s.admin(http.MethodPost, "/chatkit/providers/backend/auto", "")
}

// twoSites is the configuration of two sites with a chatkit block each.
func (s *site) twoSites(one, two string) string {
	other := testsite.FreeAddr(s.T)
	return s.Caddyfile(one) + fmt.Sprintf("\nhttp://two.example.com:%s {\n\tchatkit {%s\n\t}\n}\n", other[strings.LastIndex(other, ":")+1:], two)
}

// Within a configuration a name stands for one provider. A second site that uses
// it for another one is refused, so that nobody forces the wrong one and no label
// is ambiguous; with the same settings the two sites share it.
func TestOneNameOneProvider(t *testing.T) {
	s := newSite(t, visitor)
	s.force("open", "backend", "1m")
	err := s.TryLoadText(s.twoSites(visitor, strings.Replace(visitor, "retries 0", "retries 2", 1)))
	if err == nil || !strings.Contains(err.Error(), "provider backend: the name stands for a provider with other settings in this configuration; set another name") {
		t.Fatalf("got %v", err)
	}
	if got := s.Session(); got.Reason() != "forced_open" {
		t.Errorf("after a refused reload served by %s because %q", got.Provider(), got.Reason())
	}
	named := strings.Replace(visitor, "retries 0", "retries 2\n name second", 1)
	for name, two := range map[string]string{"the same": visitor, "another": named} {
		s.LoadText(s.twoSites(visitor, two))
		s.persistent()
		if got := s.Session(); got.Reason() != "forced_open" {
			t.Errorf("%s: served by %s because %q", name, got.Provider(), got.Reason())
		}
		if p, ok := s.statuses()["second"]; ok != (name == "another") || p.Forced != nil {
			t.Errorf("%s: the second site's provider is %+v", name, p)
		}
	}
	s.admin(http.MethodPost, "/chatkit/providers/backend/auto", "")
}
