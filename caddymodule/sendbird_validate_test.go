package caddymodule_test

import (
	"fmt"
	"testing"
)

// sendbirdJSON is a Sendbird provider with fields of its own.
func sendbirdJSON(own string) string {
	return chainJSON(`{"provider": {"module": "sendbird", ` + own + `}}`)
}

// sendbirdWith has the required fields, one of them or another with a value.
func sendbirdWith(field, value string) string {
	fields := map[string]string{"app_id": "APP-1", "api_token": "{env.CHATKIT_TEST_KEY}", "host": ""}
	fields[field] = value
	return sendbirdJSON(fmt.Sprintf(`"app_id": %q, "api_token": %q, "host": %q`, fields["app_id"], fields["api_token"], fields["host"]))
}

func TestValidateAcceptsSendbird(t *testing.T) {
	t.Setenv("CHATKIT_TEST_KEY", "planted")
	t.Setenv("CHATKIT_TEST_HOST", "api-x.svc.delight.ai")
	for name, fields := range map[string]string{
		"minimal":             sendbirdWith("app_id", "9DA1B1F4-0BE6-4DA8-82C5-2E81DAB56F23"),
		"application by name": sendbirdWith("app_id", "{env.CHATKIT_TEST_KEY}"),
		"host":                sendbirdWith("host", "api.example.com"),
		"host and port":       sendbirdWith("host", "api.example.com:8443"),
		"address":             sendbirdWith("host", "https://api.example.com/base/"),
		"IPv6":                sendbirdWith("host", "http://[::1]:8000"),
		"host by name":        sendbirdWith("host", "{env.CHATKIT_TEST_HOST}"),
		"everything": sendbirdJSON(`"app_id": "A", "api_token": "{env.CHATKIT_TEST_KEY}", "ttl": "365d", "create_users": true,
			"host": "api.example.com", "transport": {"protocol": "http", "dial_timeout": "1s"}`),
		"shortest life": sendbirdJSON(`"app_id": "A", "api_token": "t", "ttl": "1s"`),
	} {
		t.Run(name, func(t *testing.T) {
			if err := validate(t, fields); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestValidateRefusesSendbird(t *testing.T) {
	t.Setenv("CHATKIT_TEST_KEY", "planted")
	t.Setenv("CHATKIT_TEST_BLANK", " \t")
	t.Setenv("CHATKIT_TEST_CONTROL", "planted\nX-Admin: 1")
	t.Setenv("CHATKIT_TEST_DOTS", "evil.example.com/planted")
	t.Setenv("CHATKIT_TEST_PASSWORD", "https://user:planted@example.com")
	const unset = "{env.CHATKIT_TEST_UNSET}"
	testRefused(t, []refused{
		{"no application", sendbirdWith("app_id", ""), `provider sendbird: app_id is missing`},
		{"application unset", sendbirdWith("app_id", unset), `provider sendbird: app_id: evaluated placeholder {env.CHATKIT_TEST_UNSET} is empty`},
		{"application with dots", sendbirdWith("app_id", "{env.CHATKIT_TEST_DOTS}"), `provider sendbird: invalid app_id "{env.CHATKIT_TEST_DOTS}" (want 1 to 59 letters, digits or '-')`},
		{"application ends in a hyphen", sendbirdWith("app_id", "a-"), `provider sendbird: invalid app_id "a-" (want 1 to 59 letters, digits or '-')`},
		{"no token", sendbirdWith("api_token", ""), `provider sendbird: api_token is missing`},
		{"token unset", sendbirdWith("api_token", unset), `provider sendbird: api_token: evaluated placeholder {env.CHATKIT_TEST_UNSET} is empty`},
		{"token blank", sendbirdWith("api_token", "{env.CHATKIT_TEST_BLANK}"), `provider sendbird: api_token: {env.CHATKIT_TEST_BLANK} is empty`},
		{"token with control characters", sendbirdWith("api_token", "{env.CHATKIT_TEST_CONTROL}"), `provider sendbird: api_token: value has characters that are not allowed in a header`},
		{"host unset", sendbirdWith("host", unset), `provider sendbird: host: evaluated placeholder {env.CHATKIT_TEST_UNSET} is empty`},
		{"host with a password", sendbirdWith("host", "{env.CHATKIT_TEST_PASSWORD}"), `provider sendbird: host: credentials are not allowed; use api_token for them`},
		{"host of another scheme", sendbirdWith("host", "ftp://example.com"), `provider sendbird: host: ftp://example.com does not begin with http:// or https://`},
		{"host with a query", sendbirdWith("host", "example.com?a=1"), `provider sendbird: host: example.com?a=1 must not have a query or a fragment`},
		{"negative life", sendbirdJSON(`"app_id": "A", "api_token": "t", "ttl": "-1s"`), `provider sendbird: ttl: -1s is not between 1s and 365d`},
		{"too long a life", sendbirdJSON(`"app_id": "A", "api_token": "t", "ttl": "366d"`), `provider sendbird: ttl: 8784h0m0s is not between 1s and 365d`},
		{"unknown field", sendbirdJSON(`"app_id": "A", "key": "t"`), `provider sendbird: json: unknown field "key"`},
	})
}
