package upstream

import (
	"encoding/json"
	"net/url"
	"os"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// What Caddy's transport does and ours does not is left to Caddy's.
func TestCallTransport(t *testing.T) {
	for _, tt := range []struct {
		name, base, transport string
		own                   bool
	}{
		{"plain", "http://a.invalid", ``, true},
		{"plain, its settings", "http://a.invalid", `{"protocol":"http","compression":false,"dial_timeout":"1s"}`, true},
		{"compression", "http://a.invalid", `{"protocol":"http"}`, false},
		{"h2c", "http://a.invalid", `{"protocol":"http","compression":false,"versions":["h2c"]}`, false},
		{"proxy", "http://a.invalid", `{"protocol":"http","compression":false,"network_proxy":{"from":"url","url":"http://p.invalid"}}`, false},
		{"no network proxy", "http://a.invalid", `{"protocol":"http","compression":false,"network_proxy":{"from":"none"}}`, false},
		{"no kept connections", "http://a.invalid", `{"protocol":"http","compression":false,"keep_alive":{"enabled":false}}`, false},
		{"connections in all", "http://a.invalid", `{"protocol":"http","compression":false,"max_conns_per_host":5}`, false},
		{"read timeout", "http://a.invalid", `{"protocol":"http","compression":false,"read_timeout":"1s"}`, false},
		{"header timeout", "http://a.invalid", `{"protocol":"http","compression":false,"response_header_timeout":"1s"}`, false},
		{"https, HTTP/2", "https://a.invalid", ``, false},
		{"https, HTTP/1.1", "https://a.invalid", `{"protocol":"http","compression":false,"versions":["1.1"],"tls":{}}`, true},
		{"https, server name by request", "https://a.invalid",
			`{"protocol":"http","compression":false,"versions":["1.1"],"tls":{"server_name":"{http.request.host}"}}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
			defer cancel()
			base, err := url.Parse(tt.base)
			if err != nil {
				t.Fatal(err)
			}
			tr := new(Transport)
			if tt.transport != "" {
				tr.TransportRaw = json.RawMessage(tt.transport)
			}
			if err := tr.Load(ctx, base); err != nil {
				t.Fatal(err)
			}
			if own := tr.own != nil; own != tt.own {
				t.Errorf("got %T", tr.Calls())
			}
			if err := tr.Cleanup(); err != nil {
				t.Error(err)
			}
		})
	}
}

// net/http reads the environment once.
func TestMain(m *testing.M) {
	_ = os.Setenv("HTTP_PROXY", "http://p.invalid")
	_ = os.Setenv("NO_PROXY", "a.invalid")
	os.Exit(m.Run())
}

// A proxy of the environment is honored.
func TestCallTransportOfEnvironment(t *testing.T) {
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	tr := new(Transport)
	if err := tr.Load(ctx, &url.URL{Scheme: "http", Host: "b.invalid"}); err != nil {
		t.Fatal(err)
	}
	if tr.own != nil {
		t.Error("calls go past the proxy")
	}
}
