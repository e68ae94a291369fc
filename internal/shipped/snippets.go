package shipped

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// Snippet is a fenced block of a page.
type Snippet struct {
	Page     string // its path from the root of the repository
	Line     int    // of the page, where the block begins
	Heading  string // under which it stands
	Language string
	Text     string
}

// String says where a snippet is.
func (s Snippet) String() string { return fmt.Sprintf("%s:%d", s.Page, s.Line) }

// Pages returns the paths of all pages for users: the README's, and those of docs,
// dashboards and examples.
func Pages(t *testing.T) (pages []string) {
	t.Helper()
	root := repository(t)
	for _, dir := range []string{"docs", "dashboards", "examples"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(path) == ".md" && !strings.Contains(path, "node_modules") {
				pages = append(pages, path[len(root)+1:])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return append(pages, "README.md", "xcaddy.md", "CONTRIBUTING.md", "ARCHITECTURE.md")
}

// ReadPage reads a page by its path from the root of the repository.
func ReadPage(t *testing.T, page string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repository(t), page))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Snippets returns the blocks of a page in some languages, all if none is named.
func Snippets(t *testing.T, page string, languages ...string) (all []Snippet) {
	t.Helper()
	heading, open := "", (*Snippet)(nil)
	n := 0
	for line := range strings.Lines(ReadPage(t, page)) {
		n++
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			open = &Snippet{Page: page, Line: n, Heading: heading, Language: fence}
		case isFence:
			if len(languages) == 0 || slices.Contains(languages, open.Language) {
				all = append(all, *open)
			}
			open = nil
		case open != nil:
			open.Text += line
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	if open != nil {
		t.Errorf("%s: the block is not closed", open)
	}
	return all
}

// Section returns the blocks of a page under a heading; there has to be one.
func Section(t *testing.T, page, heading string, languages ...string) []Snippet {
	t.Helper()
	found := slices.DeleteFunc(Snippets(t, page, languages...), func(s Snippet) bool { return s.Heading != heading })
	if len(found) == 0 {
		t.Fatalf("%s has no block under %q", page, heading)
	}
	return found
}

func repository(t *testing.T) string {
	t.Helper()
	root, err := testsite.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}
