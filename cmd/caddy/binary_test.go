package main_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

func TestMain(m *testing.M) { os.Exit(testsite.RunWithBinary(m)) }

func TestListModules(t *testing.T) {
	out, err := testsite.Run(t, nil, "list-modules")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{
		"http.handlers.chatkit", "http.handlers.chatkit.providers.backend", "http.handlers.chatkit.providers.openai",
		"http.handlers.chatkit.providers.sendbird", "admin.api.chatkit", "admin.api.chatkit_page", "http.handlers.chatkit_status", "http.handlers.chatkit_health", "events.handlers.chatkit_webhook",
	} {
		if !strings.Contains(out, module+"\n") {
			t.Errorf("%s is not listed", module)
		}
	}
}

var productionEnv = []string{
	"CUSTOM_BACKEND_URL=https://api.example.com", "CUSTOM_BACKEND_KEY=k",
	"OPENAI_API_KEY=sk-test", "CHATKIT_WORKFLOW_ID=wf_test",
}

// The shipped Caddyfile is valid, and says what is missing where a variable is unset.
func TestShippedCaddyfile(t *testing.T) {
	if out, err := testsite.Run(t, productionEnv, "validate", "--config", "Caddyfile"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	for _, unset := range productionEnv {
		name, _, _ := strings.Cut(unset, "=")
		t.Run("without "+name, func(t *testing.T) {
			out, err := testsite.Run(t, append(slices.Clip(productionEnv), name+"="), "validate", "--config", "Caddyfile")
			if err == nil || !strings.Contains(out, "{env."+name+"}") {
				t.Errorf("got %v, want an error that names {env.%s}: %s", err, name, out)
			}
		})
	}
}
