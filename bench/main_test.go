package bench

import (
	"fmt"
	"os"
	"testing"

	"github.com/caddyserver/caddy/v2"
	_ "github.com/caddyserver/caddy/v2/modules/standard" // as in the binary

	_ "github.com/caddy-chatkit/caddy-chatkit"
)

// TestMain loads a configuration with the default log level: without one, Caddy
// logs at debug level.
func TestMain(m *testing.M) {
	err := caddy.Load([]byte(`{"admin": {"disabled": true, "config": {"persist": false}},
		"logging": {"logs": {"default": {"level": "ERROR"}}}}`), true)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
