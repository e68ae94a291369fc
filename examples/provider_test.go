package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")
	ability = regexp.MustCompile("(?m)^\\| `([A-Z]\\w+)` \\| `[A-Z]\\w+\\(")
	named   = regexp.MustCompile(`(?m)^type ([A-Z]\w+) interface \{`)
)

// The Go code of docs/providers.md is that of the example.
func TestProvidersPageShowsTheExample(t *testing.T) {
	sources, err := filepath.Glob("provider/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, path := range append(sources, "provider/cmd/caddy/main.go") {
		code.WriteString(readFile(t, path))
	}
	blocks := goBlock.FindAllStringSubmatch(readFile(t, "../docs/providers.md"), -1)
	if len(blocks) < 5 {
		t.Errorf("the page has %d blocks of Go", len(blocks))
	}
	for _, m := range blocks {
		if !strings.Contains(code.String(), m[1]) {
			t.Errorf("not in the example:\n%s", m[1])
		}
	}
}

// Its table has every optional ability of package session.
func TestProvidersPageListsTheAbilities(t *testing.T) {
	listed := names(ability, readFile(t, "../docs/providers.md"))
	want := names(named, readFile(t, "../session/provider.go"))
	want = slices.DeleteFunc(want, func(name string) bool { return name == "Provider" })
	if !slices.Equal(listed, want) {
		t.Errorf("the page lists %q, the package has %q", listed, want)
	}
}

// names returns what the first group of an expression finds, sorted.
func names(expr *regexp.Regexp, s string) []string {
	matches := expr.FindAllStringSubmatch(s, -1)
	list := make([]string, len(matches))
	for i, m := range matches {
		list[i] = m[1]
	}
	slices.Sort(list)
	return list
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
