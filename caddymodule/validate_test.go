package caddymodule_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/guest"
)

// noProvider is a module that a third party has put into the namespace of the
// providers although it creates no sessions.
type noProvider struct{}

func (noProvider) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  guest.ProviderNamespace + ".test_no_provider",
		New: func() caddy.Module { return new(noProvider) },
	}
}

func init() { caddy.RegisterModule(noProvider{}) }

// validate loads a configuration whose only handler has the given fields, as
// `caddy validate` does, and returns what the handler says about it.
func validate(t *testing.T, fields string) error {
	t.Helper()
	const around = `{
		"admin": {"disabled": true},
		"logging": {"logs": {"default": {"writer": {"output": "discard"}}}},
		"apps": {"http": {"servers": {"s": {
			"listen": ["127.0.0.1:0"],
			"automatic_https": {"disable": true},
			"routes": [{"handle": [{"handler": "chatkit", %s}]}]
		}}}}
	}`
	var cfg caddy.Config
	if err := json.Unmarshal(fmt.Appendf(nil, around, fields), &cfg); err != nil {
		t.Fatalf("the test's own JSON: %v", err)
	}
	err := caddy.Validate(&cfg)
	if err == nil {
		return nil
	}
	_, own, ok := strings.Cut(err.Error(), "loading module 'chatkit': ")
	if !ok {
		t.Fatalf("error of something else: %v", err)
	}
	return errors.New(caddysWords.ReplaceAllString(own, ""))
}

// caddysWords is what Caddy puts before the error of a module.
var caddysWords = regexp.MustCompile(`(loading module '\w+': )?((provision|decoding module config:) )?http\.handlers\.chatkit[.\w]*: (invalid configuration: )?`)

// chainJSON is a chain of the given providers.
func chainJSON(provider ...string) string {
	return `"providers": [` + strings.Join(provider, ", ") + `]`
}

// backendJSON is a backend, with further fields of the chain's.
func backendJSON(fields string) string {
	if fields != "" {
		fields += ", "
	}
	return `{` + fields + `"provider": {"module": "backend", "url": "http://127.0.0.1:8000"}}`
}

// openaiJSON is an OpenAI provider with a further field, or another value of one.
func openaiJSON(own string) string {
	return `{"provider": {"module": "openai", "key": "{env.CHATKIT_TEST_KEY}", "workflow": "wf_1", ` + own + `}}`
}

func TestValidateAccepts(t *testing.T) {
	t.Setenv("CHATKIT_TEST_KEY", "sk-planted")
	t.Setenv("CHATKIT_TEST_URL", "https://eu.example.com/base")
	for name, fields := range map[string]string{
		"minimal": chainJSON(backendJSON(``)),
		"chain":   chainJSON(backendJSON(``), openaiJSON(`"rate_limit": 5`)),
		"placeholders": `"providers": [{"provider": {"module": "backend",
			"url": "{env.CHATKIT_TEST_URL}", "key": "{env.CHATKIT_TEST_KEY}"}}]`,
		"everything": `"providers": [` + backendJSON(``) + `, {"name": "eu", "timeout": "2s", "retries": 0, "backoff": "1ms",
				"fallback_on": ["4xx", "503"],
				"breaker": {"consecutive": -1, "ratio": -1, "slow": "1s", "slow_ratio": 80, "open": "5m", "probes": 2},
				"provider": {"module": "backend", "url": "https://eu.example.com", "session_path": "/s", "user_in": "both",
					"forward_headers": ["X-Auth-Token"], "transport": {"protocol": "http", "dial_timeout": "1s"}}}],
			"user": ["{http.auth.user.id}"], "anonymous": {"cookie": "visitor"}, "deadline": "5s",
			"routes": [{"kind": "session", "path": "/s", "providers": ["eu", "backend"]}, {"kind": "refresh", "off": true}],
			"cors": {"origins": ["https://*.example.com"], "headers": ["X-A"], "expose": ["X-B"], "max_age": "1m"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := validate(t, fields); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// refused is a configuration that must not load.
type refused struct{ name, fields, want string }

func testRefused(t *testing.T, cases []refused) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := validate(t, c.fields)
			if err == nil {
				t.Fatal("loads")
			}
			if err.Error() != c.want {
				t.Errorf("got\n%s\nwant\n%s", err, c.want)
			}
		})
	}
}

func TestValidateRefuses(t *testing.T) {
	t.Setenv("CHATKIT_TEST_KEY", "sk-planted")
	one := chainJSON(backendJSON(``)) + `, `
	testRefused(t, []refused{
		{"no providers", `"providers": []`, `chatkit needs at least one provider`},
		{"empty provider", `"providers": [{}]`, `provider #1: provider is missing`},
		{"provider without module", `"providers": [{"provider": {"url": "http://127.0.0.1"}}]`, `provider #1: module is missing (want the kind of provider, such as backend or openai)`},
		{"timeout nothing fits into", `"providers": [{"timeout": "9ms", "provider": {"module": "backend", "url": "http://127.0.0.1"}}]`,
			`provider backend: timeout 9ms is too short (minimum 10ms)`},
		{"hedge that is no time", chainJSON(backendJSON(`"hedge": "p99"`)), `provider backend: hedge: invalid duration "p99" (want 500ms, 1s or p95)`},
		{"hedge after the timeout", chainJSON(backendJSON(`"hedge": "1s", "timeout": "1s"`)), `provider backend: hedge: 1s is not below timeout, 1s`},
		{"hedge and the caller's own credentials", `"providers": [{"hedge": "1s", "provider": {"module": "backend", "url": "http://127.0.0.1", "forward_headers": ["Cookie"]}}]`,
			`provider backend: hedge cannot be used together with forward_headers: a caller whom the provider refuses could get a session of another one`},
		{"null provider", `"providers": [null]`, `provider #1 is null`},
		{"unknown module", `"providers": [{"provider": {"module": "backnd"}}]`, `provider backnd: loading module 'backnd': unknown module: http.handlers.chatkit.providers.backnd`},
		{"module that is not a provider", `"providers": [{"provider": {"module": "test_no_provider"}}]`, `provider test_no_provider: module *caddymodule_test.noProvider is not a provider`},
		{"unknown field", one + `"provider": {}`, `json: unknown field "provider"`},
		{"unknown field of a provider", `"providers": [{"provider": {"module": "backend", "uri": "http://127.0.0.1"}}]`, `provider backend: json: unknown field "uri"`},
		{"doubled names by module", chainJSON(backendJSON(``), backendJSON(``)), `provider name "backend" is given twice; set name in one of them`},
		{"doubled names", chainJSON(openaiJSON(`"rate_limit": 5`), backendJSON(`"name": "openai"`)), `provider name "openai" is given twice; set name in one of them`},
		{"unknown provider in route", one + `"routes": [{"kind": "session", "path": "/s", "providers": ["openai"]}]`, `session /s: unknown provider "openai"`},
		{"unknown kind of route", one + `"routes": [{"kind": "sesion", "path": "/s"}]`, `unknown route kind "sesion"`},
		{"upstream path of a session route", one + `"routes": [{"kind": "session", "path": "/s", "upstream_path": "/u"}]`, `session /s: upstream_path is for carried requests only`},
		{"key of a session route", one + `"routes": [{"kind": "session", "path": "/s", "key": "k"}]`, `session /s: openai_api needs a key, and no other kind takes one`},
		{"nobody to carry a stream", chainJSON(openaiJSON(`"rate_limit": 5`)) + `, "routes": [{"kind": "stream", "path": "/s"}]`, `stream /s: none of its providers can carry requests (a backend can)`},
		{"route without path", one + `"routes": [{"kind": "session"}]`, `session path "" does not begin with a slash`},
	})
}

// TestValidateNegative has the numbers that the Caddyfile refuses by itself.
func TestValidateNegative(t *testing.T) {
	t.Setenv("CHATKIT_TEST_KEY", "sk-planted")
	testRefused(t, []refused{
		{"deadline", chainJSON(backendJSON(``)) + `, "deadline": "-1s"`, `deadline: -1s is negative`},
		{"max_age", chainJSON(backendJSON(``)) + `, "cors": {"max_age": "-1s"}`, `cors: max_age: -1s is negative`},
		{"timeout", chainJSON(backendJSON(`"timeout": "-1s"`)), `provider backend: timeout: -1s is negative`},
		{"retries", chainJSON(backendJSON(`"retries": -1`)), `provider backend: retries: -1 is not between 0 and 10`},
		{"backoff", chainJSON(backendJSON(`"backoff": "-1s"`)), `provider backend: retries: backoff -1s is negative`},
		{"hedge", chainJSON(backendJSON(`"hedge": "-1s"`)), `provider backend: hedge: invalid duration "-1s" (want 500ms, 1s or p95)`},
		{"ratio_calls", chainJSON(backendJSON(`"breaker": {"ratio_calls": -1}`)), `provider backend: breaker: ratio: -1 calls are too few (minimum 1)`},
		{"ratio_window", chainJSON(backendJSON(`"breaker": {"ratio_window": "-1s"}`)), `provider backend: breaker: ratio: window -1s is too short (minimum 10ms)`},
		{"slow", chainJSON(backendJSON(`"breaker": {"slow": "-1s", "slow_ratio": 50}`)), `provider backend: breaker: slow: -1s is negative`},
		{"slow_ratio", chainJSON(backendJSON(`"breaker": {"slow": "1s", "slow_ratio": -50}`)), `provider backend: breaker: slow: -50% is not between 0% and 100%`},
		{"slow without ratio", chainJSON(backendJSON(`"breaker": {"slow": "1s"}`)), `provider backend: breaker: slow: got 1s and 0% (want both above 0)`},
		{"open", chainJSON(backendJSON(`"breaker": {"open": "-1s"}`)), `provider backend: breaker: open: invalid duration -1s (want above 0)`},
		{"max_open", chainJSON(backendJSON(`"breaker": {"max_open": "-1s"}`)), `provider backend: breaker: open: maximum -1s is shorter than the first open time, 15s`},
		{"probes", chainJSON(backendJSON(`"breaker": {"probes": -1}`)), `provider backend: breaker: probes: -1 is too low (minimum 1)`},
		{"expires_after", chainJSON(openaiJSON(`"expires_after": "-1s"`)), `provider openai: expires_after: -1s is not between 1s and 10m0s`},
		{"rate_limit", chainJSON(openaiJSON(`"rate_limit": -1`)), `provider openai: rate_limit: -1 is negative`},
	})
}

// TestValidatePlaceholders: what is unset is named by field and placeholder,
// what is set and of no use is named by field and never shown.
func TestValidatePlaceholders(t *testing.T) {
	t.Setenv("CHATKIT_TEST_KEY", "sk-planted")
	t.Setenv("CHATKIT_TEST_BLANK", " \t")
	t.Setenv("CHATKIT_TEST_CONTROL", "sk-planted\x01\nX-Admin: 1")
	t.Setenv("CHATKIT_TEST_FTP", "ftp://planted.example.com")
	t.Setenv("CHATKIT_TEST_PASSWORD", "https://user:planted@example.com")
	t.Setenv("CHATKIT_TEST_LATEST", "latest")
	b := func(url, key string) string {
		return chainJSON(fmt.Sprintf(`{"provider": {"module": "backend", "url": %q, "key": %q}}`, url, key))
	}
	o := func(field, value string) string { return chainJSON(openaiJSON(fmt.Sprintf(`%q: %q`, field, value))) }
	const unset, fine = "{env.CHATKIT_TEST_UNSET}", "http://127.0.0.1:8000"
	cases := []refused{
		{"backend key of a request", b(fine, "{http.request.header.X-Key}"), `provider backend: key: unrecognized placeholder {http.request.header.X-Key}`},
		{"backend url", b(unset, "k"), `provider backend: url: evaluated placeholder {env.CHATKIT_TEST_UNSET} is empty`},
		{"backend key", b(fine, unset), `provider backend: key: evaluated placeholder {env.CHATKIT_TEST_UNSET} is empty`},
		{"backend key in a file", b(fine, "{file./nonexistent/key}"), `provider backend: key: evaluated placeholder {file./nonexistent/key} is empty`},
		{"backend key blank", b(fine, "{env.CHATKIT_TEST_BLANK}"), `provider backend: key: {env.CHATKIT_TEST_BLANK} is empty`},
		{"backend key with control characters", b(fine, "{env.CHATKIT_TEST_CONTROL}"), `provider backend: key: value has characters that are not allowed in a header`},
		{"backend url of another scheme", b("{env.CHATKIT_TEST_FTP}", "k"), `provider backend: url: {env.CHATKIT_TEST_FTP} does not begin with http:// or https://`},
		{"backend url with a password", b("{env.CHATKIT_TEST_PASSWORD}", "k"), `provider backend: url: credentials are not allowed; use key for them`},
		{"openai key", o("key", unset), `provider openai: key: evaluated placeholder {env.CHATKIT_TEST_UNSET} is empty`},
		{"openai key missing", o("key", ""), `provider openai: key is missing`},
		{"openai key with control characters", o("key", "{env.CHATKIT_TEST_CONTROL}"), `provider openai: key: value has characters that are not allowed in a header`},
		{"openai base_url", o("base_url", unset), `provider openai: base_url: evaluated placeholder {env.CHATKIT_TEST_UNSET} is empty`},
		{"openai workflow", o("workflow", unset), `provider openai: workflow: evaluated placeholder {env.CHATKIT_TEST_UNSET} is empty`},
		{"openai version", o("version", unset), `provider openai: version: evaluated placeholder {env.CHATKIT_TEST_UNSET} is empty`},
		{"openai version latest", o("version", "{env.CHATKIT_TEST_LATEST}"), `provider openai: version: "latest" breaks chats; leave it out for the latest deployed version`},
		{"openai project", o("project", unset), `provider openai: project: evaluated placeholder {env.CHATKIT_TEST_UNSET} is empty`},
	}
	for _, c := range cases {
		if strings.Contains(c.want, "planted") {
			t.Errorf("%s: the expected text shows a secret", c.name)
		}
	}
	testRefused(t, cases)
}
