package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The committed files are what this program writes.
func TestCommittedFiles(t *testing.T) {
	dir := t.TempDir()
	if err := run([]string{"-out", dir}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dashboardFile, recordingFile, alertsFile} {
		if read(t, "..", name) != read(t, dir, name) {
			t.Errorf("%s differs from the output of the generator; run: go run ./dashboards/generate", name)
		}
	}
}

// With other options every expression has the selector, and no number or sentence
// is left of the default objective.
func TestOptions(t *testing.T) {
	dir := t.TempDir()
	if err := run([]string{"-objective", "99.5", "-selector", `cluster="eu",env!="test"`, "-out", dir}); err != nil {
		t.Fatal(err)
	}
	naked := regexp.MustCompile(`(?:^|[^:a-z_])(caddy_chatkit_[a-z_]+)\b[^:a-z_{]`)
	for _, name := range []string{dashboardFile, recordingFile, alertsFile} {
		text, plain := read(t, dir, name), read(t, "..", name)
		for _, gone := range []string{"99.9 %", "0.1 %", "* 0.001", "/ 0.001", "0.0144", "0.999"} {
			if strings.Contains(text, gone) {
				t.Errorf("%s still has %q", name, gone)
			}
		}
		selector := `{cluster="eu",env!="test"`
		if name == dashboardFile {
			selector = strings.ReplaceAll(selector, `"`, `\"`)
		}
		metrics := strings.Count(withoutComments(plain), "caddy_chatkit_") - strings.Count(plain, ":caddy_chatkit_")
		if got := strings.Count(text, selector); got < metrics {
			t.Errorf("%s has %d metrics and %d selectors", name, metrics, got)
		}
		if m := naked.FindStringSubmatch(withoutComments(text)); m != nil {
			t.Errorf("%s: no selector at %s", name, m[1])
		}
	}
	alerts := read(t, dir, alertsFile)
	for _, want := range []string{"> 14.4 * 0.005\n", "that 99.5 % of", `absent(caddy_chatkit_config_info{cluster="eu",env!="test"})`} {
		if !strings.Contains(alerts, want) {
			t.Errorf("the alerts lack %q", want)
		}
	}
	board := read(t, dir, dashboardFile)
	for _, want := range []string{`"value": 0.995`, `"value": 0.95`, `"value": 0.005`, `"value": 0.072`, `/ 0.005"`, "the 0.5 % of", "is 99.5 %."} {
		if !strings.Contains(board, want) {
			t.Errorf("the dashboard lacks %q", want)
		}
	}
}

// withoutComments leaves out the lines that Prometheus does.
func withoutComments(text string) string {
	return regexp.MustCompile(`(?m)^\s*#.*$`).ReplaceAllString(text, "")
}

func TestRefusedArguments(t *testing.T) {
	for args, want := range map[string]string{
		"-objective 100 -out x":                "invalid objective",
		"-objective 0 -out x":                  "invalid objective",
		"-objective 99,5 -out x":               "invalid objective",
		`-selector cluster=eu -out x`:          "invalid selector",
		`-selector cluster="a"}or{b="c -out x`: "invalid selector",
		"-objective 99.5":                      "-objective and -selector need -out",
		"dashboard.json":                       `unexpected argument "dashboard.json"`,
	} {
		t.Chdir(t.TempDir())
		err := run(strings.Fields(args))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", args, err, want)
		}
		if files, err := filepath.Glob("*"); err != nil || len(files) > 0 {
			t.Errorf("%s: wrote %q (%v)", args, files, err)
		}
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
