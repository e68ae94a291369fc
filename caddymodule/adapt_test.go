package caddymodule_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule"
)

var update = flag.Bool("update", false, "rewrite what the files in testdata/adapt expect")

// separator stands between a Caddyfile and what becomes of it, as in Caddy's
// own integration tests.
const separator = "----------\n"

// golden is a file of testdata/adapt. One whose name begins with bad_ expects
// the text of an error, any other the JSON of a configuration.
type golden struct {
	path, caddyfile, want string
}

func (g *golden) bad() bool { return strings.HasPrefix(filepath.Base(g.path), "bad_") }

func goldens(tb testing.TB) []*golden {
	tb.Helper()
	paths, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	if err != nil {
		tb.Fatal(err)
	}
	if len(paths) == 0 {
		tb.Fatal("testdata/adapt holds no files")
	}
	all := make([]*golden, len(paths))
	for i, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		caddyfile, want, ok := strings.Cut(string(text), separator)
		if !ok {
			tb.Fatalf("%s: no line %q", path, separator)
		}
		all[i] = &golden{path, caddyfile, want}
	}
	return all
}

// adapt returns the JSON of a Caddyfile, one field a line, with what Caddy
// warns about.
func adapt(caddyfile string) (string, []caddyconfig.Warning, error) {
	compact, warnings, err := caddyconfig.GetAdapter("caddyfile").
		Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return "", nil, err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, compact, "", "\t"); err != nil {
		return "", nil, err
	}
	return indented.String() + "\n", warnings, nil
}

// TestAdapt holds the Caddyfile to the configuration it stands for, and what is
// wrong with one to the message: field, word, file and line.
func TestAdapt(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(g.path), ".caddyfiletest"), func(t *testing.T) {
			got, warnings, err := adapt(g.caddyfile)
			// Asked before anything is rewritten: -update must not make a good
			// one of a bad one, or the other way round.
			if (err != nil) != g.bad() {
				t.Fatalf("error %v, want one: %t", err, g.bad())
			}
			if err != nil {
				got = err.Error() + "\n"
			}
			for _, w := range warnings {
				t.Errorf("warning: %s", w)
			}
			if *update {
				g.rewrite(t, got)
			}
			if got != g.want {
				t.Errorf("got\n%s\nwant\n%s", got, g.want)
			}
		})
	}
}

func (g *golden) rewrite(t *testing.T, want string) {
	t.Helper()
	g.want = want
	if err := os.WriteFile(g.path, []byte(g.caddyfile+separator+want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// FuzzCaddyfile: whatever stands in a site, parsing it ends in a configuration
// or in an error.
func FuzzCaddyfile(f *testing.F) {
	for _, g := range goldens(f) {
		if _, site, ok := strings.Cut(g.caddyfile, ":8080 {\n"); ok {
			f.Add(strings.TrimSuffix(site, "}\n"))
		}
	}
	for name, options := range lines {
		for option, l := range options {
			for args := range strings.SplitSeq(l.args, "|") {
				site, _ := places[name].site(option, l.whole(option, args))
				f.Add(strings.TrimSuffix(strings.TrimPrefix(site, ":8080 {\n"), "}\n"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, site string) {
		if strings.Contains(site, "import") || strings.Contains(site, "{$") {
			return // would read files and variables of the machine it runs on
		}
		config, _, err := adapt(":8080 {\n" + site + "\n}\n")
		if err == nil && !json.Valid([]byte(config)) {
			t.Errorf("no JSON: %s", config)
		}
	})
}
