package dashboards_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// script is a block of shell of dashboards/README.md, found by a word in it.
func script(t *testing.T, word string) string {
	t.Helper()
	for _, m := range regexp.MustCompile("(?s)```bash\n(.*?)```").FindAllStringSubmatch(shipped.Read(t, "README.md"), -1) {
		if strings.Contains(m[1], word) {
			return m[1]
		}
	}
	t.Fatalf("README.md has no command with %q", word)
	return ""
}

// shell runs a script in a folder.
func shell(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testtools.Program(t, "bash"), "-e", "-c", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s\n%v: %s", script, err, out)
	}
}

// copies is a folder with the shipped rules.
func copies(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{shipped.RecordingFile, shipped.AlertsFile} {
		writeFile(t, filepath.Join(dir, name), shipped.Read(t, name))
	}
	return dir
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The two ways of dashboards/README.md to other options, the generator's and the
// one without Go, come to the same, and to rules that Prometheus takes.
func TestOtherOptions(t *testing.T) {
	promtool := testtools.Program(t, "promtool")
	root, err := testsite.Root()
	if err != nil {
		t.Fatal(err)
	}
	for name, words := range map[string][2]string{
		"objective": {"-objective", "99.5 %"},
		"selector":  {"-selector", "sed -i -E"},
	} {
		t.Run(name, func(t *testing.T) {
			generated, edited := t.TempDir(), copies(t)
			shell(t, root, strings.Replace(script(t, words[0]), "-out mine", "-out "+generated, 1))
			shell(t, edited, script(t, words[1]))
			for _, file := range []string{shipped.RecordingFile, shipped.AlertsFile} {
				want, err := os.ReadFile(filepath.Join(generated, file))
				if err != nil {
					t.Fatal(err)
				}
				if got, err := os.ReadFile(filepath.Join(edited, file)); err != nil || string(got) != string(want) {
					t.Errorf("%s: by hand it is another file than the generator's (%v):\n%s", file, err, got)
				}
			}
			shell(t, generated, strings.Replace(script(t, "promtool check rules"), "promtool", promtool, 1))
		})
	}
}

// Prometheus runs with the example of its configuration, rules and all, and scrapes
// the product under the job of the example.
func TestExampleOfPrometheus(t *testing.T) {
	p := newProduct(t)
	dir := copies(t)
	text := shipped.Read(t, "examples/prometheus.yml")
	for old, replacement := range map[string]string{
		"localhost:2019": p.admin, "scrape_interval: 15s": "scrape_interval: 1s", "evaluation_interval: 15s": "evaluation_interval: 1s",
	} {
		if !strings.Contains(text, old) {
			t.Fatalf("the example lacks %q", old)
		}
		text = strings.ReplaceAll(text, old, replacement)
	}
	writeFile(t, filepath.Join(dir, "prometheus.yml"), text)
	prom := runPrometheus(t, dir)
	prom.await(`count(caddy_chatkit_config_info{job="chat"})`, providers)
	if rules := prom.rules(); len(rules) < 20 {
		t.Errorf("it has loaded %d rules", len(rules))
	}
}
