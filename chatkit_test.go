package chatkit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The tests of this module need Go alone: what needs more is in e2e, and so are
// the libraries that only tests like that use.
func TestEndToEndTestsAreApart(t *testing.T) {
	mod := read(t, "go.mod")
	for _, library := range []string{"chromedp", "openai-go"} {
		if strings.Contains(mod, library) {
			t.Errorf("go.mod requires %s, which belongs into e2e/go.mod", library)
		}
	}
	readme := read(t, "e2e/README.md")
	files, err := filepath.Glob("e2e/*/doc.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("e2e has no packages (%v)", err)
	}
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = filepath.Base(filepath.Dir(file))
		if !strings.Contains(readme, "\n| `"+names[i]+"` | ") {
			t.Errorf("e2e/README.md does not list %s", names[i])
		}
	}
	t.Logf("not run here, as they need browsers, Node, Python or Prometheus: %s (cd e2e && go test ./...)", strings.Join(names, ", "))
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
