package main_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// The quick reference's test request works against the demo, its port aside.
func TestDemoQuickReferenceRequest(t *testing.T) {
	port := testsite.FreePort(t)
	p := testsite.Start(t, "chatkit-demo", "--port", port, "--admin-port", testsite.FreePort(t))
	p.Await(t, `Ctrl-C ends it`)
	a := testsite.Do(t, http.DefaultClient, http.MethodPost, "http://localhost:"+port+"/api/custom/session", "",
		"Authorization: Bearer test-token", "Content-Type: application/json")
	if a.Status != http.StatusOK || a.Secret() == "" {
		t.Errorf("got %d: %s", a.Status, a.Raw)
	}
	a = testsite.Do(t, http.DefaultClient, http.MethodGet, "http://localhost:"+port+"/metrics", "")
	if a.Status != http.StatusOK || !strings.Contains(a.Raw, "caddy_chatkit_sessions_total") {
		t.Errorf("metrics: got %d: %s", a.Status, a.Raw)
	}
	p.Interrupt(t)
}

// With --chaos the backend changes by itself and every session is still served,
// but for the refusals of a caller among the faults.
func TestDemoChaos(t *testing.T) {
	port := testsite.FreePort(t)
	p := testsite.Start(t, "chatkit-demo", "--port", port, "--admin-port", testsite.FreePort(t), "--chaos", "50ms")
	p.Await(t, `--- backend: none`)
	for range 40 {
		a := testsite.Do(t, http.DefaultClient, http.MethodPost, "http://localhost:"+port+"/api/custom/session", "")
		if a.Status >= http.StatusInternalServerError || a.Status == http.StatusTooManyRequests {
			t.Errorf("got %d: %s", a.Status, a.Raw)
		}
	}
	p.Interrupt(t)
}

// A port that is taken, and flags that make no sense, are clear errors.
func TestDemoRefuses(t *testing.T) {
	port := testsite.FreePort(t)
	p := testsite.Start(t, "chatkit-demo", "--port", port, "--admin-port", testsite.FreePort(t))
	p.Await(t, `Ctrl-C ends it`)
	admin := p.Await(t, `caddy chatkit-status --watch --address (\S+)`)[1]
	out, err := testsite.Run(t, nil, "chatkit-demo", "--port", testsite.FreePort(t), "--admin-port", admin[strings.LastIndex(admin, ":")+1:])
	if err == nil || !strings.Contains(out, "choose another with --admin-port") {
		t.Errorf("admin port taken: got %v: %s", err, out)
	}
	for _, tt := range []struct{ name, flag, value, want string }{
		{"port out of range", "--port", "70000", "port: 70000 is not between 1 and 65535"},
		{"port taken", "--port", port, "choose another with --port"},
		{"extra argument", "--port=8080", "now", `unexpected argument \"now\" (chatkit-demo takes flags only)`},
		{"admin port out of range", "--admin-port", "70000", "admin-port: 70000 is not between 0 and 65535"},
		{"negative chaos", "--chaos", "-1s", "chaos: -1s is negative"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := testsite.Run(t, nil, "chatkit-demo", tt.flag, tt.value)
			if err == nil || !strings.Contains(out, tt.want) {
				t.Errorf("got %v, want %q: %s", err, tt.want, out)
			}
		})
	}
	p.Interrupt(t)
}
