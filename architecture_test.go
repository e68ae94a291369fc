package chatkit_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// Every file and folder that ARCHITECTURE.md names is there. Those of the Caddy
// ring go without caddymodule.
func TestArchitectureNamesRealFiles(t *testing.T) {
	page, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`([a-z_/]+(?:\\.go|/))`").FindAllStringSubmatch(string(page), -1)
	if len(names) < 40 {
		t.Errorf("the page names %d files and folders", len(names))
	}
	for _, m := range names {
		if !slices.ContainsFunc([]string{".", "caddymodule", "caddymodule/turns"}, func(dir string) bool {
			_, err := os.Stat(filepath.Join(dir, m[1]))
			return err == nil
		}) {
			t.Errorf("there is no %s", m[1])
		}
	}
}
