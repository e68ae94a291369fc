package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// The plain Go steps of xcaddy.md, run as they stand there.
func TestBuildingByTheBook(t *testing.T) {
	checkout, err := testsite.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(checkout, "xcaddy.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```bash\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 2 {
		t.Fatalf("xcaddy.md has %d blocks of shell, want that of the repository and that of an own module", len(blocks))
	}
	for i, dir := range []string{checkout, t.TempDir()} {
		// The binary goes where the test cleans up.
		script := strings.ReplaceAll(blocks[i][1], "-o caddy ./cmd", "-o "+filepath.Join(t.TempDir(), "caddy")+" ./cmd")
		cmd := exec.CommandContext(t.Context(), "bash", "-e", "-c", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CHECKOUT="+checkout)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s\n%v: %s", script, err, out)
		}
		if strings.Contains(script, "list-modules") && !strings.Contains(string(out), "http.handlers.chatkit.providers.openai\n") {
			t.Errorf("the build lacks a module: %s", out)
		}
	}
}
