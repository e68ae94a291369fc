package docs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

func TestMain(m *testing.M) { os.Exit(testsite.RunWithBinary(m)) }

// startCaddy starts the binary with a Caddyfile.
func startCaddy(t *testing.T, text string) *testsite.Process {
	t.Helper()
	home := t.TempDir()
	file := filepath.Join(home, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := testsite.StartProgram(t, home, []string{"XDG_DATA_HOME=" + home, "XDG_CONFIG_HOME=" + home},
		testsite.Binary, "run", "--config", file)
	p.Await(t, "serving initial configuration")
	return p
}
