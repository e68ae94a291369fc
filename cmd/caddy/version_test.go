package main_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// stamped builds the product as a release of a version.
func stamped(t *testing.T, version string) string {
	t.Helper()
	root, err := testsite.Root()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "caddy")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", file,
		"-ldflags", "-X github.com/caddy-chatkit/caddy-chatkit/internal/buildinfo.version="+version, "./cmd/caddy")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return file
}

// Every build names itself, one that is no release by what Go has noted.
func TestVersion(t *testing.T) {
	out, err := testsite.Run(t, nil, "version")
	matches(t, out, err, `^caddy-chatkit (v\S+|\(devel\)), Caddy v2\.\d+\.\d+ h1:\S+\n$`)
	in := install(t)
	out, err = in.control(t, "chatkit-status")
	matches(t, out, err, `(?m)^caddy-chatkit (v\S+|\(devel\)), Caddy v2\.\d+\.\d+$`)
}

var buildInfo = regexp.MustCompile(`caddy_chatkit_build_info\{goversion="go[^"]+",revision="[^"]+",version="v9\.8\.7"\} 1\n`)
