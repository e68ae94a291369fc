package telemetry_test

import (
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
)

// While no configuration is active, as when Caddy waits for the last requests
// before it exits, lines go where Caddy's own go, and events nowhere.
func TestNoActiveConfiguration(t *testing.T) {
	if caddy.ActiveContext().Context != nil {
		t.Fatal("a configuration is active")
	}
	if l := telemetry.Log(); l.Core() != caddy.Log().Core() || l.Name() != "http.handlers.chatkit" {
		t.Errorf("the logger %q is not Caddy's own", l.Name())
	}
	telemetry.Emit(telemetry.EventBreaker, nil) // must not panic
}
